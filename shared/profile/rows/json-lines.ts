import type { Bytes } from '../../codec/bytes.ts';
import { isValue, type Row, refuseRow } from './row.ts';

/** JSON lines: an object per profile, its members named as the parameters, digits and octets as text. */
export function jsonRow(number: number, line: Bytes): Row {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch {
    return refuseRow('personalisationInvalid', number, undefined, 'is not JSON in UTF-8');
  }
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
