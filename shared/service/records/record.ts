import type { Bytes } from '../../codec/bytes.ts';
import { utf8 } from '../../codec/bytes.ts';
import { Fault, type FaultCode, refuse } from '../../errors.ts';
import { decodeAttributes, encodeAttributes } from '../../ledger/item.ts';
import type { Attributes, Item } from '../../ledger/ledger.ts';
import { formInForce } from './forms.ts';
import {
  demand,
  isObject,
  type Members,
  type Mismatch,
  mismatchText,
  object,
  type Shape,
  typeInWords,
} from './schema.ts';

/**
 * A stored record that does not decode. The message says which one and which member, by type; never a value. Nothing
 * is done with such a record: see docs/runbook.md, "A stored record cannot be read".
 */
export class RecordFault extends Fault {
  /** Partition and sort key of a ledger item, or the name of a vault object. */
  readonly place: string;
  /** Path of the member; undefined where it is about the record as a whole. */
  readonly member: string | undefined;

  constructor(code: FaultCode, place: string, message: string, member?: string, cause?: unknown) {
    super(code, message, { cause });
    this.place = place;
    this.member = member;
  }
}

/** Where a stored value was found. */
interface Place {
  readonly code: 'ledger' | 'vault' | 'notifier';
  /** `the item`, `the object` … */
  readonly what: string;
  readonly name: string;
}

/**
 * A kind of stored record: what it is made of, and how it is written and read. Its version stands in the member `v`
 * and follows from the number of steps that lead old versions up to the newest one.
 */
export interface RecordKind<T> {
  /** "job": completes "is no … record". */
  readonly kind: string;
  /** The newest that it reads; which one it writes follows from the form in force. */
  readonly version: number;
  readonly history: Required<History>;
  /** Names of its members but `v`. */
  readonly members: readonly string[];
  /** Decodes a ledger item. */
  from(item: Item): T;
  /** Encodes the attributes of a ledger item. */
  to(record: T): Attributes;
  /** Decodes a vault object: the JSON text of ledger/item.ts, octets as `{"$octets":"…"}`. */
  fromObject(name: string, octets: Bytes): T;
  toObject(record: T): Bytes;
  /** Decodes what came by another way; `place` names it. */
  decode(value: unknown, place: Place): T;
}

export type RecordOf<K> = K extends RecordKind<infer T> ? T : never;

/** How a version of a kind follows from the one before. */
export interface Step {
  /** The stored form (forms.ts) from which on the later version is written. */
  readonly form: number;
  /** The earlier version read as the later one. */
  readonly lift: (earlier: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /**
   * The later version written as the earlier one, as long as the form is not in force; `needsForm` where it says what the earlier
   * one has no place for. What it leaves out must be worth nothing to a release that knows only the earlier one.
   */
  readonly lower: (later: Attributes) => Attributes;
}

/** How a kind came to what it is. */
export interface History {
  /** The stored form that brought the kind; 1 unless said otherwise. */
  readonly since?: number;
  /** `steps[0]` makes version 2 of version 1, and so on; their forms only grow. */
  readonly steps?: readonly Step[];
}

/** For `lower`: what is to be stored has to wait until the form is in force. */
export function needsForm(form: number, what: string): never {
  refuse(
    'formNotInForce',
    `${what}: that is stored from form ${form} on, and form ${formInForce()} is in force`,
  );
}

/**
 * Defines a kind of record. Once a release has stored a form, its members change only together with a step, so that what was
 * stored before still opens and what an older process beside this one has to read is still written.
 */
export function recordOf<const S extends Shape>(
  kind: string,
  shape: S,
  { since = 1, steps = [] }: History = {},
): RecordKind<Members<S>> {
  const schema = object(shape);
  const version = steps.length + 1;

  const decode = (value: unknown, place: Place): Members<S> => {
    const fail = (mismatch: Mismatch): never => failed(kind, place, mismatch);
    if (!isObject(value))
      return fail({ path: '', kind: 'wrong', detail: `${typeInWords(value)} where an object is expected` });
    const { v, ...members } = value;
    let record: unknown = members;
    if (v !== version) record = lifted(kind, v, members, steps, place);
    demand(schema, record, fail);
    return record;
  };

  const encode = (record: Members<S>): Attributes => {
    const members: unknown = record;
    demand(schema, members, (mismatch) =>
      failed(kind, { code: 'ledger', what: 'a record', name: 'to be stored' }, mismatch),
    );
    if (since > formInForce()) needsForm(since, `a ${kind} record`);
    return lowered(members, steps);
  };

  return {
    kind,
    version,
    history: { since, steps },
    members: schema.members,
    from: (item) =>
      decode(item.attributes, { code: 'ledger', what: 'the item', name: `${item.partition} / ${item.sort}` }),
    to: encode,
    fromObject(name, octets) {
      const place: Place = { code: 'vault', what: 'the object', name };
      let value: Attributes;
      try {
        value = decodeAttributes(Buffer.from(octets).toString('utf8'));
      } catch (cause) {
        throw new RecordFault(
          'vault',
          name,
          `the object ${name} is no ${kind} record: it is not JSON`,
          undefined,
          cause,
        );
      }
      return decode(value, place);
    },
    toObject: (record) => utf8(encodeAttributes(encode(record))),
    decode,
  };
}

function failed(kind: string, { code, what, name }: Place, mismatch: Mismatch): never {
  const message = `${what} ${name} is no ${kind} record: it has ${mismatchText(mismatch)}`;
  throw new RecordFault(code, name, message, mismatch.path);
}

/** The members of an older version in the present form. */
function lifted(
  kind: string,
  stored: unknown,
  members: Readonly<Record<string, unknown>>,
  steps: readonly Step[],
  place: Place,
): Readonly<Record<string, unknown>> {
  const known = steps.length + 1;
  if (stored === undefined) failed(kind, place, { path: 'v', kind: 'missing' });
  if (typeof stored !== 'number' || !Number.isSafeInteger(stored) || stored < 1)
    failed(kind, place, {
      path: 'v',
      kind: 'wrong',
      detail: `${typeInWords(stored)} where a version is expected`,
    });
  if (stored > known)
    throw new RecordFault(
      place.code,
      place.name,
      `${place.what} ${place.name} is a ${kind} record of version ${stored}, written by a newer release; this one reads up to version ${known}: run the newer release again`,
      'v',
    );
  return steps.slice(stored - 1).reduce((record, { lift }) => lift(record), members);
}

/** The members in the version that the form in force has, with that version. */
function lowered(members: Attributes, steps: readonly Step[]): Attributes {
  let version = steps.length + 1;
  let written = members;
  for (; version > 1 && steps[version - 2]!.form > formInForce(); version -= 1)
    written = steps[version - 2]!.lower(written);
  return { ...written, v: version };
}
