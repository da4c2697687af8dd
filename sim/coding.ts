import { type Bytes, fromHex, toHex } from '../shared/codec/bytes.ts';
import { bigEndian, SimError, tlv } from './tlv.ts';

/** EID, 32 digits, as 16 octets with the high nibble first (SGP.29). */
export function encodeEid(eid: string): Bytes {
  if (!/^\d{32}$/.test(eid)) throw new SimError('an EID has 32 digits');
  return fromHex(eid);
}

export function decodeEid(octets: Bytes): string {
  const eid = toHex(octets);
  if (!/^\d{32}$/.test(eid)) throw new SimError('an EID is 16 octets of decimal digits');
  return eid;
}

/** Appends the ISO 7064 mod 97-10 check digits to 30 digits (SGP.29). */
export function completeEid(first30: string): string {
  if (!/^\d{30}$/.test(first30)) throw new SimError('30 digits go before the check digits of an EID');
  const check = 98n - (BigInt(`${first30}00`) % 97n);
  return first30 + check.toString().padStart(2, '0');
}

export function isValidEid(eid: string): boolean {
  if (!/^\d{32}$/.test(eid)) return false;
  let remainder = 0;
  for (let i = 0; i < eid.length; i++) remainder = (10 * remainder + Number(eid[i])) % 97;
  return remainder === 1;
}

/** ICCID of 19 or 20 digits as 10 octets, F padded, nibbles swapped as in EF.ICCID and StoreMetadata. */
export function encodeIccid(iccid: string): Bytes {
  if (!/^\d{19,20}$/.test(iccid)) throw new SimError('an ICCID has 19 or 20 digits');
  return swapNibbles(fromHex(iccid.padEnd(20, 'F')));
}

/** The digits of an EF.ICCID value. */
export function decodeIccid(octets: Bytes): string {
  const digits = toHex(swapNibbles(octets)).replace(/f$/, '');
  if (octets.length !== 10 || !/^\d{19,20}$/.test(digits)) {
    throw new SimError('an ICCID is 10 octets of swapped decimal digits');
  }
  return digits;
}

export function swapNibbles(octets: Bytes): Bytes {
  return octets.map((octet) => ((octet & 0x0f) << 4) | (octet >> 4));
}

/** Content octets of an OBJECT IDENTIFIER (X.690 §8.19). */
export function encodeOid(dotted: string): Bytes {
  const arcs = dotted.split('.').map(Number);
  const [first, second] = arcs;
  if (first === undefined || second === undefined || !arcs.every(Number.isSafeInteger)) {
    throw new SimError(`not an object identifier: ${dotted}`);
  }
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...arcs.slice(2)]) {
    const base128 = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
      base128.unshift(0x80 | (rest % 128));
    }
    octets.push(...base128);
  }
  return Uint8Array.from(octets);
}

export function decodeOid(octets: Bytes): string {
  const arcs: number[] = [];
  let arc = 0;
  let open = false;
  for (const octet of octets) {
    if (!open && octet === 0x80) throw new SimError('an object identifier arc is not minimal');
    arc = arc * 128 + (octet & 0x7f);
    if (!Number.isSafeInteger(arc)) throw new SimError('an object identifier arc is too large');
    open = (octet & 0x80) !== 0;
    if (!open) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [head, ...rest] = arcs;
  if (open || head === undefined) throw new SimError('an object identifier is cut off');
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...rest].join('.');
}

/** Content octets of a non-negative INTEGER. */
export function encodeInteger(value: number): Bytes {
  const octets = bigEndian(value);
  return (octets[0] ?? 0) & 0x80 ? Uint8Array.of(0, ...octets) : octets;
}

/** A non-negative INTEGER of at most 6 octets, minimal form only. */
export function decodeInteger(octets: Bytes): number {
  const [first, second] = octets;
  if (first === undefined || octets.length > 6) throw new SimError('INTEGER of a length not taken');
  if (first & 0x80) throw new SimError('a negative INTEGER has no place here');
  if (first === 0 && second !== undefined && !(second & 0x80)) throw new SimError('INTEGER not minimal');
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}

/** `YYYYMMDDhhmmssZ`, the only GeneralizedTime that DER and RFC 5280 allow. */
export function encodeGeneralizedTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

/** RFC 5280 §4.1.2.5: UTCTime to the end of 2049, GeneralizedTime from 2050. */
export function encodeTime(time: Date): Bytes {
  const text = encodeGeneralizedTime(time);
  return time.getUTCFullYear() < 2050
    ? tlv(0x17, Buffer.from(text.slice(2), 'latin1'))
    : tlv(0x18, Buffer.from(text, 'latin1'));
}

/** UTCTime content (13 octets) or GeneralizedTime content (15 octets). */
export function decodeTime(octets: Bytes): Date {
  const text = Buffer.from(octets).toString('latin1');
  const full = text.length === 13 ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  const [, year, month, day, hour, minute, second] = match ?? [];
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (match === null || Number.isNaN(time.getTime())) throw new SimError('not a time in Zulu form');
  return time;
}

/** Strict UTF-8; a wrong sequence is refused, not replaced. */
export function decodeUtf8(octets: Bytes): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch (cause) {
    throw new SimError('not UTF-8', { cause });
  }
}
