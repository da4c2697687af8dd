import { type Bytes, fromHex, toHex } from '../../../codec/bytes.ts';
import { swapNibbles } from '../../../codec/iccid.ts';

/** EF.Routing_Indicator (3GPP TS 31.102 section 4.4.11.11): one to four digits, F filled, and two reserved octets. */
export function encodeRoutingIndicator(digits: string): Bytes {
  return Buffer.concat([swapNibbles(fromHex(digits.padEnd(4, 'f'))), Buffer.of(0xff, 0xff)]);
}

export function decodeRoutingIndicator(file: Bytes): string {
  return toHex(swapNibbles(file.subarray(0, 2))).replace(/f+$/, '');
}
