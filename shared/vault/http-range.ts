import type { ByteRange } from './vault.ts';

/**
 * The one range that a `Range` header asks of a body of `size` octets (RFC 9110 section 14.1.2): undefined where
 * the whole is to be sent (no header, several ranges, another unit), `unsatisfiable` for status 416.
 */
export function httpRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
  }
  const offset = Number(first);
  if (last !== '' && Number(last) < offset) return undefined;
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  return offset >= size ? 'unsatisfiable' : { offset, length: end - offset };
}
