import { afterEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../../shared/codec/bytes.ts';
import { Refusal } from '../../../shared/errors.ts';
import type { Attributes, Item } from '../../../shared/ledger/ledger.ts';
import { formInForce, type HeldForm, holdForm } from '../../../shared/service/records/forms.ts';
import { needsForm, recordOf } from '../../../shared/service/records/record.ts';
import {
  anyValue,
  dictionary,
  either,
  flag,
  integer,
  list,
  number,
  object,
  octets,
  oneOf,
  optional,
  text,
  tuple,
  whole,
} from '../../../shared/service/records/schema.ts';

const itemOf = (attributes: Attributes): Item => ({ partition: 'p', sort: 's', revision: 1, attributes });

const sample = recordOf('sample', {
  name: text,
  count: whole,
  shift: optional(integer),
  rate: optional(number),
  isDone: optional(flag),
  der: optional(octets),
  state: optional(oneOf('on', 'off')),
  runs: optional(list(tuple(whole, whole))),
  byOrder: optional(dictionary(list(text))),
  outcome: optional(either('iccid', object({ iccid: text }), object({ refusal: text }))),
  more: optional(anyValue),
});
const good = { v: 1, name: 'a', count: 0 };

describe('a stored member', () => {
  it.each<[string, Attributes, string]>([
    ['text', { name: 7 }, 'a whole number where text is expected in the member `name`'],
    ['a count', { count: -1 }, 'a negative number where a whole number is expected in the member `count`'],
    ['a count', { count: 1.5 }, 'a fraction where a whole number is expected in the member `count`'],
    ['a count', { count: '1' }, 'text where a whole number is expected in the member `count`'],
    ['a flag', { isDone: 'yes' }, 'text where true or false is expected in the member `isDone`'],
    ['octets', { der: 'MA==' }, 'text where octets is expected in the member `der`'],
    [
      'one of some words',
      { state: 'secret' },
      'other text where one of on, off is expected in the member `state`',
    ],
    ['a list', { runs: {} }, 'an object where a list is expected in the member `runs`'],
    [
      'an entry of a list',
      { runs: [[0, 1], [2]] },
      'a list of 1 where a list of 2 is expected in the member `runs[1]`',
    ],
    [
      'an entry within',
      { runs: [[0, 'x']] },
      'text where a whole number is expected in the member `runs[0][1]`',
    ],
    ['under a name that is data', { byOrder: { 'ORD-1': [7] } }, 'in the member `byOrder.ORD-1[0]`'],
    [
      'of one of two objects',
      { outcome: { iccid: 'x', refusal: 'y' } },
      'an unknown member `outcome.refusal`',
    ],
    ['of the other one', { outcome: {} }, 'no member `outcome.refusal`'],
  ])('that is not %s is shown by its path and type', (_what, members, message) => {
    expect(() => sample.from(itemOf({ ...good, ...members }))).toThrow(
      `the item p / s is no sample record: it has ${message.startsWith('in the') ? '' : message}`,
    );
    expect(() => sample.from(itemOf({ ...good, ...members }))).toThrow(message);
  });

  it('is never quoted: it could be a secret', () => {
    for (const name of sample.members) {
      try {
        sample.from(itemOf({ ...good, [name]: { 'x y': 'S3CRET' } }));
      } catch (fault) {
        expect(String(fault)).not.toContain('S3CRET');
      }
    }
  });

  it('that no ledger can store is not written', () => {
    const record = { name: 'a', count: Number.NaN };
    expect(() => sample.to(record)).toThrow('a record to be stored is no sample record');
  });
});

describe('a stored record', () => {
  it('copies nothing within', () => {
    const runs = [[0, 1]] as const;
    expect(sample.from(itemOf({ ...good, runs })).runs).toBe(runs);
  });

  it('that is no JSON object is named by its object', () => {
    expect(() => sample.fromObject('some/object', utf8('{'))).toThrow(
      'the object some/object is no sample record: it is not JSON',
    );
    expect(() => sample.fromObject('some/object', utf8('[]'))).toThrow(
      'the object some/object is no sample record: it has a list of 0 where an object is expected',
    );
  });

  it.each<[string, Attributes['v']]>([
    ['text', '1'],
    ['zero', 0],
    ['a fraction', 1.5],
  ])('whose version is %s has none', (_what, v) => {
    expect(() => sample.from(itemOf({ ...good, v }))).toThrow(
      'where a version is expected in the member `v`',
    );
  });
});

describe('a record of an old version', () => {
  const third = recordOf(
    'third',
    { first: text, second: text, third: whole },
    {
      steps: [
        {
          form: 2,
          lift: (one) => ({ ...one, second: 'from 1' }),
          lower: ({ second, ...one }) => (second === 'from 1' ? one : needsForm(2, 'a second')),
        },
        { form: 4, lift: (two) => ({ ...two, third: 2 }), lower: ({ third: _, ...two }) => two },
      ],
    },
  );
  let form: HeldForm | undefined;
  afterEach(() => form?.release());

  it.each<[number, Attributes, object]>([
    [1, { first: 'a' }, { first: 'a', second: 'from 1', third: 2 }],
    [2, { first: 'a', second: 'b' }, { first: 'a', second: 'b', third: 2 }],
    [3, { first: 'a', second: 'b', third: 3 }, { first: 'a', second: 'b', third: 3 }],
  ])('%i is lifted step by step to the present one', (v, members, record) => {
    expect(third.from(itemOf({ ...members, v }))).toEqual(record);
  });

  it.each([
    [1, { first: 'a', v: 1 }],
    [2, { first: 'a', second: 'from 1', v: 2 }],
    [3, { first: 'a', second: 'from 1', v: 2 }],
    [4, { first: 'a', second: 'from 1', third: 2, v: 3 }],
  ])('is stored in the version of form %i while that is in force', (inForce, stored) => {
    form = holdForm(inForce);
    expect(third.to(third.from(itemOf({ first: 'a', v: 1 })))).toEqual(stored);
  });

  it('is not stored where the form in force has no place for what it says, and the refusal says what to do', () => {
    form = holdForm(1);
    const store = () => third.to({ first: 'a', second: 'b', third: 2 });
    expect(store).toThrow('a second: that is stored from form 2 on, and form 1 is in force');
    expect(refusalOf(store)).toBe('formNotInForce');
    form.raise(2);
    expect(store()).toEqual({ first: 'a', second: 'b', v: 2 });
  });

  it('of a kind that a later form brought is not stored before', () => {
    const fresh = recordOf('fresh', { first: text }, { since: 2 });
    form = holdForm(1);
    expect(refusalOf(() => fresh.to({ first: 'a' }))).toBe('formNotInForce');
    form.raise(2);
    expect(fresh.to({ first: 'a' })).toEqual({ first: 'a', v: 1 });
  });

  it('is written for the lowest form of several deployments of one process, and a form never goes back', () => {
    form = holdForm(4);
    form.raise(2);
    expect(formInForce()).toBe(4);
    const other = holdForm(2);
    expect(formInForce()).toBe(2);
    other.release();
    other.raise(1);
    expect(formInForce()).toBe(4);
  });
});

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  throw new Error('there was no refusal');
}
