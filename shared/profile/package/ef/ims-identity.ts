import { type Bytes, utf8 } from '../../../codec/bytes.ts';
import { readTlv, tlv } from '../../../codec/tlv.ts';
import { refuse } from '../../../errors.ts';

/** EF.IMPI, EF.DOMAIN and a record of EF.IMPU (3GPP TS 31.103 section 4.2): tag 80 and UTF-8, FF filled. */
export function encodeImsIdentity(identity: string): Bytes {
  const length = Buffer.byteLength(identity);
  // a tag, a length of one octet and the text, as nearly every identity is
  if (length >= 0x80) return tlv(0x80, utf8(identity));
  const octets = Buffer.allocUnsafe(2 + length);
  octets[0] = 0x80;
  octets[1] = length;
  octets.write(identity, 2);
  return octets;
}

/** Empty where the file or record is unused. */
export function decodeImsIdentity(octets: Bytes): string {
  if (octets[0] === 0xff || octets[0] === undefined) return '';
  const element = readTlv(octets);
  if (element.tag !== 0x80) refuse('profileInvalid', 'an ISIM identity does not have tag 80');
  return Buffer.from(element.value).toString('utf8');
}

/** Whether a file or record begins with this identity, read octet by octet. */
export function saysImsIdentity(octets: Bytes, identity: string, at = 0): boolean {
  const { length } = identity;
  // whatever is longer, or not a character an octet, is decoded
  if (octets[at] !== 0x80 || octets[at + 1] !== length || length >= 0x80)
    return decodeImsIdentity(octets.subarray(at)) === identity;
  if (at + 2 + length > octets.length) return false;
  for (let i = 0; i < length; i++) {
    const character = identity.charCodeAt(i);
    if (character >= 0x80) return decodeImsIdentity(octets.subarray(at)) === identity;
    if (octets[at + 2 + i] !== character) return false;
  }
  return true;
}

/** The identities that 3GPP TS 23.003 section 13 derives from an IMSI; `mncLength` is 2 or 3 (EF.AD). */
export function imsIdentities(imsi: string, mncLength: number) {
  const mcc = imsi.slice(0, 3);
  const mnc = imsi.slice(3, 3 + mncLength).padStart(3, '0');
  const domain = `ims.mnc${mnc}.mcc${mcc}.3gppnetwork.org`;
  return { domain, impi: `${imsi}@${domain}`, impu: `sip:${imsi}@${domain}` };
}
