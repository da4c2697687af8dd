import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { checkedValue, members } from './item.ts';
import type { Attributes, Item, ItemKey, Value } from './ledger.ts';

/**
 * Items as DynamoDB holds them: the key attributes `partition` and `sort`, `revision`, `attributes` (a map, octets
 * as binary), and `nonce`, random for each write, by which a writer whose answer was lost knows its own work.
 */
export type Stored = Record<string, AttributeValue>;

export function storedKey({ partition, sort }: ItemKey): Stored {
  return { partition: { S: partition }, sort: { S: sort } };
}

export function readKey({ partition, sort }: Stored): ItemKey {
  return { partition: partition!.S!, sort: sort!.S! };
}

export function storedItem(item: Item, nonce: Uint8Array): Stored {
  return {
    ...storedKey(item),
    revision: { N: String(item.revision) },
    attributes: { M: storedMembers(item.attributes, 0) },
    nonce: { B: nonce },
  };
}

function storedMembers(attributes: Attributes, depth: number): Stored {
  return Object.fromEntries(
    members(attributes).map(([name, value]) => [name, storedValue(value, depth + 1)]),
  );
}

function storedValue(unchecked: Value | undefined, depth: number): AttributeValue {
  const value = checkedValue(unchecked, depth);
  if (value === null) return { NULL: true };
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value instanceof Uint8Array) return { B: value };
  if (Array.isArray(value)) return { L: Array.from(value, (member) => storedValue(member, depth + 1)) };
  return { M: storedMembers(value as Attributes, depth) };
}

/** Octets of texts and binaries, names of members not counted: what reading the item costs. */
export function octetsIn(value: AttributeValue | undefined): number {
  if (value === undefined) return 0;
  if (value.M !== undefined) return sum(Object.values(value.M));
  if (value.L !== undefined) return sum(value.L);
  return value.S?.length ?? value.B?.length ?? 1;
}

const sum = (values: readonly AttributeValue[]) =>
  values.reduce((octets, value) => octets + octetsIn(value), 0);

export function readItem(stored: Stored): Item {
  const { revision, attributes } = stored;
  return {
    ...readKey(stored),
    revision: Number(revision!.N),
    attributes: readMembers(attributes!.M!),
  };
}

function readMembers(stored: Stored): Attributes {
  return Object.fromEntries(Object.entries(stored).map(([name, value]) => [name, readValue(value)]));
}

function readValue(value: AttributeValue): Value {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return value.B;
  if (value.L !== undefined) return value.L.map(readValue);
  return value.M === undefined ? null : readMembers(value.M);
}
