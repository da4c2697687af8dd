import type { Bytes } from '../../../codec/bytes.ts';
import { decodeDiallingNumber, encodeDiallingNumber } from './dialling-number.ts';

/** Octets of a record of EF.SMSP after its alpha identifier (3GPP TS 31.102 section 4.2.27). */
export const SMSP_TAIL = 28;
const SERVICE_CENTRE = 13;
const ADDRESS_LENGTH = 12;
/** Bit 2 of the parameter indicators: 0 says that the service centre address is present. */
const SERVICE_CENTRE_ABSENT = 0x02;

/** The record with another service centre address; everything else in it stays. */
export function withServiceCentre(record: Bytes, number: string): Bytes {
  const changed = Buffer.from(record);
  const tail = changed.subarray(changed.length - SMSP_TAIL);
  tail[0]! &= ~SERVICE_CENTRE_ABSENT;
  tail.set(encodeDiallingNumber(number, ADDRESS_LENGTH), SERVICE_CENTRE);
  return changed;
}

export function serviceCentre(record: Bytes): string {
  const tail = record.subarray(record.length - SMSP_TAIL);
  if ((tail[0]! & SERVICE_CENTRE_ABSENT) !== 0) return '';
  return decodeDiallingNumber(tail.subarray(SERVICE_CENTRE, SERVICE_CENTRE + ADDRESS_LENGTH));
}
