import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeAttributes, encodeAttributes } from '../../../shared/ledger/item.ts';
import type { Attributes, Item } from '../../../shared/ledger/ledger.ts';
import { holdForm, NEWEST_FORM } from '../../../shared/service/records/forms.ts';
import { ledgerKinds } from '../../../shared/service/records/kinds.ts';
import { RecordFault, type RecordKind } from '../../../shared/service/records/record.ts';

/**
 * How each kind of record is stored, version by version. A fixture is never edited once a release has stored its form:
 * a change of members is a new version, with a fixture of its own and a step that lifts the old one.
 */
const ROOM = join(import.meta.dirname, '../../../shared/service/records');
const FIXTURES = join(import.meta.dirname, 'fixtures');

const isKind = (value: unknown): value is RecordKind<object> =>
  typeof value === 'object' && value !== null && 'kind' in value && 'fromObject' in value;

const kinds: RecordKind<object>[] = [];
for (const file of readdirSync(ROOM).filter((name) => name.endsWith('.ts'))) {
  const exported: object = await import(join(ROOM, file));
  kinds.push(...Object.values(exported).filter(isKind));
}

const fileOf = (kind: string, version: number) => `${kind.replaceAll(' ', '-')}.v${version}.json`;

function fixture({ kind }: RecordKind<object>, version: number): Attributes {
  return decodeAttributes(readFileSync(join(FIXTURES, fileOf(kind, version)), 'utf8'));
}

const itemOf = (attributes: Attributes): Item => ({
  partition: 'some#partition',
  sort: 'head',
  revision: 1,
  attributes,
});

function faultOf(work: () => unknown): RecordFault {
  try {
    work();
  } catch (error) {
    if (error instanceof RecordFault) return error;
    throw error;
  }
  throw new Error('there was no fault');
}

describe('the stored forms', () => {
  it('are those of more than fifty kinds, each under a name of its own', () => {
    expect(kinds.length).toBeGreaterThan(50);
    expect(new Set(kinds.map(({ kind }) => kind)).size).toBe(kinds.length);
  });

  it('have a name in the ledger by which a verification knows them, but for what is in objects alone', () => {
    const elsewhere = kinds.filter((kind) => !ledgerKinds.has(kind)).map(({ kind }) => kind);
    expect(elsewhere.sort()).toEqual(['anchored audit head', 'commit', 'notice message', 'row index']);
  });

  it('have a fixture for every version of every kind, and none of anything else', () => {
    const wanted = kinds.flatMap(({ kind, version }) =>
      Array.from({ length: version }, (_, i) => fileOf(kind, i + 1)),
    );
    expect(readdirSync(FIXTURES).sort()).toEqual(wanted.sort());
  });
});

describe.each(kinds.map((kind) => [kind.kind, kind] as const))(
  'the form of a record of %s',
  (_name, kind) => {
    const stored = fixture(kind, kind.version);
    const known = kind.members.filter((name) => stored[name] !== undefined);
    const wrong = (attributes: Attributes) => faultOf(() => kind.from(itemOf(attributes)));

    it('has every member in its fixture', () => {
      expect(known).toEqual(kind.members);
    });

    it('comes back as it was stored, from an item and from an object', () => {
      const record = kind.from(itemOf(stored));
      expect(encodeAttributes(kind.to(record))).toBe(encodeAttributes(stored));
      expect(kind.fromObject('some/object', kind.toObject(record))).toEqual(record);
      expect(record).not.toHaveProperty('v');
    });

    it.each(Array.from({ length: kind.version }, (_, i) => i + 1))('of version %i opens', (version) => {
      expect(() => kind.from(itemOf(fixture(kind, version)))).not.toThrow();
    });

    it('came by forms that only grow, up to the newest, and goes back to each earlier version', () => {
      const { since, steps } = kind.history;
      const forms = [since, ...steps.map(({ form }) => form), NEWEST_FORM];
      expect(forms).toEqual([...forms].sort((a, b) => a - b));
      for (const [i, { form }] of steps.entries()) {
        const held = holdForm(form - 1);
        try {
          // what a process of the release before wrote comes back to it as it was
          const earlier = fixture(kind, i + 1);
          expect(encodeAttributes(kind.to(kind.from(itemOf(earlier))))).toBe(encodeAttributes(earlier));
        } finally {
          held.release();
        }
      }
    });

    it.each(known)('shows where %s is of another type', (name) => {
      const fault = wrong({ ...stored, [name]: null });
      expect(fault).toMatchObject({ code: 'ledger', place: 'some#partition / head', member: name });
      expect(fault.message).toContain(`no ${kind.kind} record: it has null where `);
    });

    it('shows where a member is missing', () => {
      const required = known.filter((name) => {
        const { [name]: _, ...rest } = stored;
        try {
          kind.from(itemOf(rest));
          return false;
        } catch (fault) {
          expect(fault).toMatchObject({ code: 'ledger', member: name });
          expect((fault as Error).message).toContain(`no member \`${name}\``);
          return true;
        }
      });
      const { v: _, ...unversioned } = stored;
      expect(wrong(unversioned).message).toContain('no member `v`');
      expect(required).toMatchSnapshot();
    });

    it('shows a member that it does not know', () => {
      expect(wrong({ ...stored, rest: 1 })).toMatchObject({ member: 'rest' });
      expect(wrong({ ...stored, rest: 1 }).message).toContain('an unknown member `rest`');
      expect(() => kind.to({ ...kind.from(itemOf(stored)), rest: 1 })).toThrow('an unknown member `rest`');
    });

    it('of a newer release says so, and what to do', () => {
      const fault = wrong({ ...stored, v: kind.version + 1 });
      expect(fault.message).toContain(
        `is a ${kind.kind} record of version ${kind.version + 1}, written by a newer release`,
      );
      expect(fault.message).toContain('run the newer release again');
    });
  },
);
