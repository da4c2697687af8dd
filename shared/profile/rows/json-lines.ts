import type { Bytes } from '../../codec/bytes.ts';
import { repeatedMember } from '../../codec/json-names.ts';
import { isValue, type Row, refuseRow } from './row.ts';

/**
 * JSON lines: an object per profile, its members named as the parameters, digits and octets as text. A member that
 * stands twice is refused, as a column is: which of the two is meant, nobody can tell.
 */
export function jsonRow(number: number, line: Bytes): Row {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(line);
    value = JSON.parse(text);
  } catch {
    return refuseRow('personalisationInvalid', number, undefined, 'is not JSON in UTF-8');
  }
  const twice = repeatedMember(text);
  if (twice !== undefined)
    refuseRow(
      'personalisationInvalid',
      number,
      twice.name,
      twice.name === '__proto__' ? 'is a forbidden name' : 'stands twice in one object',
    );
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuseRow('personalisationInvalid', number, undefined, 'is not a JSON object');
  for (const [name, member] of Object.entries(value))
    if (!isValue(member))
      refuseRow('personalisationInvalid', number, name, 'must be text, a list of text or an object');
  return { number, values: value as Row['values'] };
}

export function jsonRows(octets: Bytes, firstRow: number): readonly Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < octets.length; ) {
    const end = octets.indexOf(0x0a, at);
    const stop = end < 0 ? octets.length : end;
    const line = octets.subarray(at, stop);
    if (line.some((octet) => octet > 0x20)) rows.push(jsonRow(firstRow + rows.length, line));
    at = stop + 1;
  }
  return rows;
}
