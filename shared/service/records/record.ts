import type { Bytes } from '../../codec/bytes.ts';
import { utf8 } from '../../codec/bytes.ts';
import { Fault, type FaultCode } from '../../errors.ts';
import { decodeAttributes, encodeAttributes } from '../../ledger/item.ts';
import type { Attributes, Item } from '../../ledger/ledger.ts';
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
 * and follows from the number of steps that lead old forms up to the present one.
 */
export interface RecordKind<T> {
  /** "job": completes "is no … record". */
  readonly kind: string;
  readonly version: number;
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

/** One step up: the members of a version in, those of the next one out. */
export type Lift = (older: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

/**
 * Defines a kind of record. `lifts[0]` makes version 2 of version 1, and so on: once a release has stored a form, its
 * members change only together with a step here, so that what was stored before still opens.
 */
export function recordOf<const S extends Shape>(
  kind: string,
  shape: S,
  lifts: readonly Lift[] = [],
): RecordKind<Members<S>> {
  const schema = object(shape);
  const version = lifts.length + 1;

  const decode = (value: unknown, place: Place): Members<S> => {
    const fail = (mismatch: Mismatch): never => failed(kind, place, mismatch);
    if (!isObject(value))
      return fail({ path: '', kind: 'wrong', detail: `${typeInWords(value)} where an object is expected` });
    const { v, ...members } = value;
    let record: unknown = members;
    if (v !== version) record = lifted(kind, v, members, lifts, place);
    demand(schema, record, fail);
    return record;
  };

  const encode = (record: Members<S>): Attributes => {
    const members: unknown = record;
    demand(schema, members, (mismatch) =>
      failed(kind, { code: 'ledger', what: 'a record', name: 'to be stored' }, mismatch),
    );
    return { ...members, v: version };
  };

  return {
    kind,
    version,
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
  lifts: readonly Lift[],
  place: Place,
): Readonly<Record<string, unknown>> {
  const known = lifts.length + 1;
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
  return lifts.slice(stored - 1).reduce((record, lift) => lift(record), members);
}
