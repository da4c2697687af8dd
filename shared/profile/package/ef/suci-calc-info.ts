import { type Bytes, toHex } from '../../../codec/bytes.ts';
import { readTlv, type Tlv, tlv } from '../../../codec/tlv.ts';
import { refuse } from '../../../errors.ts';
import { children } from '../element.ts';

/** EF.SUCI_Calc_Info (3GPP TS 31.102 section 4.4.11.8), also the content of the file on the card's side in DF.SAIP. */
export interface SuciCalcInfo {
  /** In order of priority. */
  readonly schemes: readonly SuciScheme[];
  readonly keys: readonly HomeNetworkPublicKey[];
}

export interface SuciScheme {
  /** Protection scheme (3GPP TS 33.501 Annex C): 0 null, 1 profile A, 2 profile B. */
  readonly id: number;
  /** Place of the key in the list, from 1; 0 for the null scheme. */
  readonly keyIndex: number;
}

export interface HomeNetworkPublicKey {
  /** Home network public key identifier, 0..255. */
  readonly id: number;
  /** Profile A: 32 octets X25519. Profile B: a P-256 point, 65 octets uncompressed or 33 compressed. */
  readonly key: Bytes;
}

const SCHEMES = 0xa0;
const KEYS = 0xa1;

export function encodeSuciCalcInfo({ schemes, keys }: SuciCalcInfo): Bytes {
  return Buffer.concat([
    tlv(SCHEMES, Buffer.from(schemes.flatMap(({ id, keyIndex }) => [id, keyIndex]))),
    ...(keys.length === 0
      ? []
      : [tlv(KEYS, ...keys.flatMap(({ id, key }) => [tlv(0x80, Buffer.of(id)), tlv(0x81, key)]))]),
  ]);
}

/** Reads the data objects at the start of the file; FF filling after them is ignored. */
export function decodeSuciCalcInfo(file: Bytes): SuciCalcInfo {
  let at = 0;
  const next = (tag: number): Tlv | undefined => {
    if (file[at] !== tag) return undefined;
    const element = readTlv(file, at);
    at += element.raw.length;
    return element;
  };
  const list = next(SCHEMES)?.value;
  const keyList = next(KEYS);
  if (list === undefined || list.length % 2 !== 0 || file.subarray(at).some((octet) => octet !== 0xff)) {
    return refuse('profileInvalid', 'EF.SUCI_Calc_Info is malformed');
  }
  const schemes = Array.from({ length: list.length / 2 }, (_, i) => ({
    id: list[2 * i]!,
    keyIndex: list[2 * i + 1]!,
  }));
  const parts = keyList === undefined ? [] : children(keyList);
  const keys: HomeNetworkPublicKey[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    const [id, key] = [parts[i], parts[i + 1]];
    if (id?.tag !== 0x80 || id.value.length !== 1 || key?.tag !== 0x81) {
      refuse('profileInvalid', 'EF.SUCI_Calc_Info has a malformed list of keys');
    }
    keys.push({ id: id.value[0]!, key: key.value });
  }
  return { schemes, keys };
}

const NULL_SCHEME = 0;
const KEY_LENGTHS: ReadonlyMap<number, readonly number[]> = new Map([
  [1, [32]],
  [2, [65, 33]],
]);

/** What is wrong with the parameters, or undefined. */
export function suciFault({ schemes, keys }: SuciCalcInfo): string | undefined {
  if (schemes.length === 0) return 'has no protection scheme';
  const ids = new Set<string>();
  for (const { id, key } of keys) {
    if (!Number.isInteger(id) || id < 0 || id > 255) return 'has a key identifier that is not 0 to 255';
    if (ids.has(`${id}/${toHex(key)}`)) return 'lists a key twice';
    ids.add(`${id}/${toHex(key)}`);
  }
  for (const { id, keyIndex } of schemes) {
    if (id === NULL_SCHEME) {
      if (keyIndex !== 0) return 'gives the null scheme a key';
      continue;
    }
    const lengths = KEY_LENGTHS.get(id);
    if (lengths === undefined) return 'names a protection scheme that is not 0, 1 or 2';
    const key = keys[keyIndex - 1]?.key;
    if (key === undefined) return 'refers to a key that is not in its list';
    if (!lengths.includes(key.length)) return `has a key of the wrong length for scheme ${id}`;
  }
  return undefined;
}
