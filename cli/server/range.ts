import type { ByteRange } from '../../shared/vault/vault.ts';

/**
 * A Range header (RFC 9110 section 14.2) with one range of octets, cut to the object's end. Undefined, for the whole
 * object, where there is none or a form that we do not serve; `unsatisfiable`, for status 416, where it begins beyond
 * the end. The unit's name is in either case (RFC 9110 section 14.1).
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/i.exec(header ?? '');
  if (match === null) return undefined;
  const [, from, to, last] = match;
  const offset = from === undefined ? Math.max(0, size - Number(last)) : Number(from);
  const end = to === undefined ? size : Math.min(size, Number(to) + 1);
  if (to !== undefined && Number(to) < offset) return undefined;
  return offset < end ? { offset, length: end - offset } : 'unsatisfiable';
}
