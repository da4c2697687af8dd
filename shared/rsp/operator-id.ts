import { type Bytes, toHex } from '../codec/bytes.ts';
import { type Tlv, tlv } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';
import { present } from '../present.ts';
import { additionalFieldsOf, checkAdditionalFields, ExtensibleReader } from './extensibility.ts';

/** OperatorId (SGP.22 annex H): `80 mccMnc`, `[81 gid1]`, `[82 gid2]`. */
export interface OperatorId {
  /** Three digits of MCC, then two or three of MNC. */
  readonly mccMnc: string;
  /** Content of EF.GID1 and EF.GID2; up to 255 octets. */
  readonly gid1?: Bytes;
  readonly gid2?: Bytes;
  /** Fields of later versions: whole TLVs, one after the other (extensibility.ts). */
  readonly additionalFields?: Bytes;
}

const GID_LIMIT = 255;
const TAGS = new Set([0x80, 0x81, 0x82]);

/** Three octets as in TS 24.008: MCC2 MCC1, MNC3 or F and MCC3, MNC2 MNC1. */
export function encodeMccMnc(digits: string): Bytes {
  if (!/^[0-9]{5,6}$/.test(digits)) refuse('metadataInvalid', 'mccMnc has five or six digits');
  const digit = (index: number): number => (index < digits.length ? digits.charCodeAt(index) - 48 : 0xf);
  return Buffer.of((digit(1) << 4) | digit(0), (digit(5) << 4) | digit(2), (digit(4) << 4) | digit(3));
}

export function decodeMccMnc(octets: Bytes): string {
  const [a, b, c, d, e, f] = toHex(octets);
  const digits = `${b}${a}${d}${f}${e}${c === 'f' ? '' : c}`;
  if (octets.length !== 3 || !/^[0-9]{5,6}$/.test(digits))
    refuse('metadataInvalid', 'mccMnc is not made of digits', { subjectIdentifier: toHex(octets) });
  return digits;
}

export function encodeOperatorId(tag: number, operator: OperatorId): Bytes {
  const { mccMnc, gid1, gid2, additionalFields } = operator;
  for (const gid of [gid1, gid2])
    if (gid !== undefined && gid.length > GID_LIMIT)
      refuse('metadataInvalid', `a GID has at most ${GID_LIMIT} octets`);
  return tlv(
    tag,
    tlv(0x80, encodeMccMnc(mccMnc)),
    gid1 && tlv(0x81, gid1),
    gid2 && tlv(0x82, gid2),
    checkAdditionalFields(additionalFields, TAGS),
  );
}

export function readOperatorId(element: Tlv, path: string): OperatorId {
  const unknown: Tlv[] = [];
  const reader = new ExtensibleReader(element, path, TAGS, unknown);
  const mccMnc = decodeMccMnc(reader.octets(0x80, 'mccMnc', 3));
  const gid1 = reader.peek()?.tag === 0x81 ? reader.octets(0x81, 'gid1', 0, GID_LIMIT) : undefined;
  const gid2 = reader.peek()?.tag === 0x82 ? reader.octets(0x82, 'gid2', 0, GID_LIMIT) : undefined;
  reader.end();
  return { mccMnc, ...present({ gid1, gid2, additionalFields: additionalFieldsOf(unknown) }) };
}
