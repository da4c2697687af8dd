import { sortedNames } from '../codec/canonical-json.ts';
import { Fault } from '../errors.ts';
import type { Attributes, Item, ItemKey, Value, Write } from './ledger.ts';

/**
 * What every ledger adapter holds its items to, so that what one stores the other can store: the limits are
 * those of DynamoDB (Developer Guide, "Quotas" and "Item sizes and formats"), kept on SQLite too.
 */

/** Octets of UTF-8. */
const PARTITION_LIMIT = 2048;
const SORT_LIMIT = 1024;
/** Octets of a whole item, names and keys included. */
export const ITEM_LIMIT = 400 * 1024;
/** Levels of lists and maps inside one attribute. */
export const DEPTH_LIMIT = 16;

/** A JSON object with this one member is octets in base64; no other member name may begin with `$`. */
const OCTETS = '$octets';
const FORBIDDEN_NAME = /^$|^\$|^__proto__$/;

function fault(message: string): never {
  throw new Fault('ledger', message);
}

/** Neither empty nor too long; NUL and lone surrogates have no place in a key that two databases must sort alike. */
function checkKeyText(text: string, limit: number, what: string): void {
  if (text.length === 0) fault(`the ${what} key is empty`);
  if (text.length * 3 > limit && Buffer.byteLength(text) > limit)
    fault(`the ${what} key exceeds ${limit} octets`);
  if (!text.isWellFormed() || text.includes('\0')) fault(`the ${what} key is not plain Unicode text`);
}

export function checkKey(key: ItemKey): void {
  checkKeyText(key.partition, PARTITION_LIMIT, 'partition');
  checkKeyText(key.sort, SORT_LIMIT, 'sort');
}

export function keyOf(write: Write): ItemKey {
  if ('put' in write) return write.put;
  return 'remove' in write ? write.remove : write.check;
}

/** Checks every key and that no two writes name the same item. */
export function checkWrites(writes: readonly Write[]): void {
  const seen = new Set<string>();
  for (const write of writes) {
    const key = keyOf(write);
    checkKey(key);
    seen.add(`${key.partition}\0${key.sort}`);
  }
  if (seen.size !== writes.length) fault('two writes of one call name the same item');
}

function checkNumber(value: number): void {
  const magnitude = Math.abs(value);
  if (!Number.isFinite(value) || magnitude > 1e120 || (magnitude !== 0 && magnitude < 1e-120)) {
    fault('an attribute holds a number that the ledger cannot store');
  }
}

function checkText(value: string): void {
  if (!value.isWellFormed()) fault('an attribute holds text that is not well-formed Unicode');
}

function checkName(name: string): void {
  if (FORBIDDEN_NAME.test(name)) fault('an attribute has a reserved or empty name');
  checkText(name);
}

/** Names of the present members in their order, each checked. */
function memberNames(value: Attributes): string[] {
  const names = sortedNames(value);
  let present = 0;
  for (const name of names) {
    if (value[name] === undefined) continue;
    checkName(name);
    names[present++] = name;
  }
  names.length = present;
  return names;
}

/** Present members in the order of their names, each name checked. */
export function members(value: Attributes): [string, Value][] {
  return memberNames(value).map((name) => [name, value[name]!]);
}

/** Values that a type cannot stop: undefined in a list, functions, class instances other than octets. */
export function checkedValue(value: Value | undefined, depth: number): Value {
  if (depth > DEPTH_LIMIT) fault(`an attribute is nested deeper than ${DEPTH_LIMIT} levels`);
  switch (typeof value) {
    case 'string':
      checkText(value);
      return value;
    case 'number':
      checkNumber(value);
      return Object.is(value, -0) ? 0 : value;
    case 'boolean':
      return value;
    case 'object':
      if (value === null || value instanceof Uint8Array || Array.isArray(value)) return value;
      if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
        return value;
  }
  return fault('an attribute holds a value that is neither JSON nor octets');
}

function encodeValue(unchecked: Value | undefined, depth: number): string {
  const value = checkedValue(unchecked, depth);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return `{"${OCTETS}":"${base64(value)}"}`;
  if (Array.isArray(value)) return encodeList(value, depth);
  return encodeMembers(value as Attributes, depth);
}

/** Holes of an array are values that nothing may be stored of. */
function encodeList(value: readonly Value[], depth: number): string {
  let text = '';
  for (let i = 0; i < value.length; i++) text += `${i === 0 ? '' : ','}${encodeValue(value[i], depth + 1)}`;
  return `[${text}]`;
}

function encodeMembers(value: Attributes, depth: number): string {
  const names = sortedNames(value);
  let text = '{';
  let separator = '';
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const member = value[name];
    if (member === undefined) continue;
    text += separator + encodedName(name) + encodeValue(member, depth + 1);
    separator = ',';
  }
  return `${text}}`;
}

/** Names that were checked and written before, which are those of the records' members: the same few dozen again and again. */
const ENCODED_NAMES = new Map<string, string>();
const NAMES_KEPT = 500;
const LONGEST_KEPT = 32;

/** The name of a member and what stands between it and its value. */
function encodedName(name: string): string {
  const known = ENCODED_NAMES.get(name);
  if (known !== undefined) return known;
  checkName(name);
  const encoded = `${JSON.stringify(name)}:`;
  if (name.length <= LONGEST_KEPT && ENCODED_NAMES.size < NAMES_KEPT) ENCODED_NAMES.set(name, encoded);
  return encoded;
}

function base64(octets: Uint8Array): string {
  // no second view where there is one: of short octets it would move them out of the heap of JavaScript
  if (Buffer.isBuffer(octets)) return octets.toString('base64');
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64');
}

/**
 * Attributes as canonical JSON text: members sorted by name, no spaces, octets as `{"$octets":"…"}`. Equal
 * attributes give equal text. Faults on what cannot come back as it went in.
 */
export function encodeAttributes(attributes: Attributes): string {
  return encodeMembers(attributes, 0);
}

function revive(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = revive(value[i]);
    return value;
  }
  const object = value as Record<string, unknown>;
  const octets = object[OCTETS];
  if (typeof octets === 'string') return Buffer.from(octets, 'base64');
  for (const name of Object.keys(object)) object[name] = revive(object[name]);
  return object;
}

/** The attributes that `encodeAttributes` made this text of; a Fault on other text. */
export function decodeAttributes(text: string): Attributes {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new Fault('ledger', 'a stored item is not readable', { cause });
  }
  return (text.includes(OCTETS) ? revive(parsed) : parsed) as Attributes;
}

function valueSize(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return 21;
  if (value === null || typeof value === 'boolean') return 1;
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, member) => sum + 1 + valueSize(member), 3);
  return membersSize(value as Attributes);
}

function membersSize(value: Attributes): number {
  return members(value).reduce(
    (sum, [name, member]) => sum + 1 + Buffer.byteLength(name) + valueSize(member),
    3,
  );
}

/** Octets that DynamoDB counts for this item (numbers at their most); a write unit is 1,024 of them, begun. */
export function itemSize(item: Omit<Item, 'revision'>): number {
  // `partition`, `sort`, `revision`, `attributes`, `nonce`, a revision and a nonce, as dynamodb-item.ts has them.
  const names = 9 + 4 + 8 + 10 + 5;
  const revisionAndNonce = 5 + 8;
  return (
    names +
    Buffer.byteLength(item.partition) +
    Buffer.byteLength(item.sort) +
    revisionAndNonce +
    membersSize(item.attributes)
  );
}

/** Faults on an item larger than ITEM_LIMIT. */
export function checkItemSize(key: ItemKey, attributes: Attributes): void {
  const size = itemSize({ ...key, attributes });
  if (size > ITEM_LIMIT) fault(`an item of ${size} octets exceeds the limit of ${ITEM_LIMIT}`);
}
