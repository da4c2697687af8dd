import { toHex } from '../../shared/codec/bytes.ts';

/** The document with octets as lower-case hexadecimal, dates in ISO 8601, maps as objects and big integers as digits. */
export const toJson = (document: unknown): string => JSON.stringify(plain(document), null, 2);

/** The same in one line. */
export const toJsonLine = (document: unknown): string => JSON.stringify(plain(document));

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
  return value;
}
