import type { Bytes } from '../../../codec/bytes.ts';

/** The GSM default alphabet (3GPP TS 23.038 section 6.2.1) by code; 1B is the escape to its extension. */
const GSM_ALPHABET = [
  ...'@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u001bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?',
  ...'¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
];
const ESCAPE = '\u001b';
const CODES: ReadonlyMap<string, number> = new Map(
  GSM_ALPHABET.flatMap((character, code) => (character === ESCAPE ? [] : [[character, code] as const])),
);
const UCS2 = 0x80;

/**
 * Text of a file in the coding of ETSI TS 102 221 Annex A: the GSM default alphabet, one octet a character, where
 * it has all characters; else 80 and UCS-2.
 */
export function encodeAlpha(text: string): Bytes {
  const codes = [...text].map((character) => CODES.get(character));
  if (codes.every((code) => code !== undefined)) return Buffer.from(codes);
  return Buffer.concat([Buffer.of(UCS2), Buffer.from(text, 'utf16le').swap16()]);
}

/** Up to the FF filling; undefined for the codings 81 and 82, which this server does not write. */
export function decodeAlpha(octets: Bytes): string | undefined {
  if (octets[0] === UCS2) {
    const text = Buffer.from(octets.subarray(1, octets.length - ((octets.length - 1) % 2)));
    const end = text.findIndex((_, at) => at % 2 === 0 && text[at] === 0xff && text[at + 1] === 0xff);
    return Buffer.from(end < 0 ? text : text.subarray(0, end))
      .swap16()
      .toString('utf16le');
  }
  const end = octets.indexOf(0xff);
  const characters = [...(end < 0 ? octets : octets.subarray(0, end))].map((code) => GSM_ALPHABET[code]);
  return characters.every((character) => character !== undefined) ? characters.join('') : undefined;
}
