import type { Bytes } from '../../../codec/bytes.ts';
import { decodeDiallingNumber, encodeDiallingNumber } from './dialling-number.ts';

/** What follows the alpha identifier: number (12 octets), capability identifier and extension record. */
export const MSISDN_TAIL = 14;
const NUMBER_LENGTH = 12;

/** One record of EF.MSISDN (3GPP TS 31.102 section 4.2.26): alpha identifier, FF filled, and the tail. */
export function encodeMsisdn(number: string, alphaId: Bytes, recordLength: number): Bytes {
  const record = Buffer.alloc(recordLength, 0xff);
  record.set(alphaId, 0);
  record.set(encodeDiallingNumber(number, NUMBER_LENGTH), recordLength - MSISDN_TAIL);
  return record;
}

export function decodeMsisdn(record: Bytes): string {
  const tail = record.subarray(record.length - MSISDN_TAIL);
  return decodeDiallingNumber(tail.subarray(0, NUMBER_LENGTH));
}
