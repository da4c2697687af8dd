import { DerError, fromHex, type Octets, toHex } from './tlv.ts';

/** An EID: 32 digits as 16 octets, high nibble first. */
export function encodeEid(eid: string): Octets {
  if (!/^[0-9]{32}$/.test(eid)) throw new DerError('an EID has 32 digits');
  return fromHex(eid);
}

export const decodeEid = (octets: Octets): string => toHex(octets);

/** An ICCID of 19 or 20 digits as EF.ICCID has it: 10 octets, nibbles swapped, F behind 19 digits. */
export function encodeIccid(iccid: string): Octets {
  if (!/^[0-9]{19,20}$/.test(iccid)) throw new DerError('an ICCID has 19 or 20 digits');
  return swap(fromHex(iccid.padEnd(20, 'F')));
}

export const decodeIccid = (octets: Octets): string => toHex(swap(octets)).replace(/F$/, '');

const swap = (octets: Octets): Octets => octets.map((octet) => ((octet & 0x0f) << 4) | (octet >> 4));

/** An Id16: 1 to 16 octets, given in hexadecimal. */
export function encodeId16(id: string): Octets {
  const octets = fromHex(id);
  if (octets.length < 1 || octets.length > 16) throw new DerError('an identifier has 1 to 16 octets');
  return octets;
}
