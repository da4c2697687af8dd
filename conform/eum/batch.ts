import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { decodeInteger, decodeOid, decodeUtf8 } from '../../sim/coding.ts';
import { Fields, hexTag, readAll, readOnly, SimError, type Tlv } from '../../sim/tlv.ts';
import type { Conformity } from '../conformity.ts';
import type { EumRule } from './rules.ts';

/** A batch whose frame can be read. What is inside the fields is looked at one by one. */
export interface ReadBatch {
  readonly ciPkId: Bytes;
  readonly curve: string;
  readonly eumChain: readonly Bytes[];
  readonly euiccInfo2: Bytes;
  readonly entries: readonly ReadEntry[];
  readonly eumDataSignature: Bytes | undefined;
  /** Fields 0 to 7 one after another as they were sent. */
  readonly signed: Bytes;
  readonly whole: Bytes;
}

export interface ReadKey {
  readonly keyId: Bytes;
  readonly otPk: Bytes;
  readonly proof: Bytes;
}

export interface ReadEntry {
  /** How the entry is called in findings. */
  readonly where: string;
  /** 16 octets. */
  readonly eid: Bytes;
  readonly euiccCert: Bytes;
  readonly keys: readonly ReadKey[];
  readonly euiccInfo2: Bytes | undefined;
}

/** The message of what could not be read; anything else is a fault of ours. */
export function reasonOf(error: unknown): string {
  if (error instanceof SimError) return error.message;
  throw error;
}

/** Reads a batch as far as it can be read; undefined where its frame cannot. */
export function readBatch(der: Bytes, conformity: Conformity<EumRule>): ReadBatch | undefined {
  let value: Bytes;
  try {
    value = readOnly(der, 0xff60).value;
    requireDer(value);
    conformity.passed('eum.batch.der');
  } catch (error) {
    conformity.failed('eum.batch.der', 'the batch', 'FF60, each length minimal', reasonOf(error));
    return undefined;
  }
  try {
    const batch = fieldsOf(value, der, conformity);
    conformity.passed('eum.batch.fields');
    return batch;
  } catch (error) {
    const expected =
      '80 version 1, 81 batchId, 82 ciPkId, 83 curve, A4 eumChain, 85 euiccInfo2, A6 entries, A7, 88';
    conformity.failed('eum.batch.fields', 'the batch', expected, `${reasonOf(error)}: ${tagsOf(value)}`);
    return undefined;
  }
}

/** All elements down to those that are primitive, each with a definite length in its shortest form. */
function requireDer(value: Bytes): void {
  for (const { raw, value: inner } of readAll(value)) if ((raw[0]! & 0x20) !== 0) requireDer(inner);
}

const tagsOf = (value: Bytes): string =>
  readAll(value)
    .map(({ tag, value: content }) => `${hexTag(tag)} (${content.length})`)
    .join(', ');

function fieldsOf(value: Bytes, whole: Bytes, conformity: Conformity<EumRule>): ReadBatch {
  const fields = new Fields(value);
  const taken: Tlv[] = [];
  const take = (tag: number): Bytes => {
    const element = fields.take(tag);
    taken.push(element);
    return element.value;
  };
  const version = decodeInteger(take(0x80));
  if (version !== 1) throw new SimError(`version ${version}`);
  sized('batchId', take(0x81), 1, 16);
  const ciPkId = sized('ciPkId', take(0x82), 20, 20);
  const curve = decodeOid(take(0x83));
  const eumChain = readAll(take(0xa4)).map(({ raw }) => readOnly(raw, 0x04).value);
  if (eumChain.length === 0) throw new SimError('eumChain is empty');
  const euiccInfo2 = take(0x85);
  const elements = readAll(take(0xa6));
  const makers = fields.maybe(0xa7);
  if (makers !== undefined) taken.push(makers);
  const named =
    makers === undefined ? [] : readAll(makers.value).map(({ raw }) => decodeUtf8(readOnly(raw, 0x0c).value));
  const eumDataSignature = fields.maybe(0x88)?.value;
  fields.end();
  const seen = makers === undefined ? 'no field 7' : 'an empty list';
  conformity.check('eum.batch.makers', named.length > 0, 'the batch', 'A7 with one UTF8String or more', seen);
  return {
    ciPkId,
    curve,
    eumChain,
    euiccInfo2,
    entries: elements.flatMap(({ raw }, index) => readEntry(raw, index, conformity) ?? []),
    eumDataSignature,
    signed: Buffer.concat(taken.map(({ raw }) => raw)),
    whole,
  };
}

function sized(name: string, octets: Bytes, least: number, most: number): Bytes {
  if (octets.length >= least && octets.length <= most) return octets;
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  throw new SimError(`${name} has ${octets.length} octets, not ${wanted}`);
}

function readEntry(raw: Bytes, index: number, conformity: Conformity<EumRule>): ReadEntry | undefined {
  let where = `entry ${index}`;
  try {
    const fields = new Fields(readOnly(raw, 0x30).value);
    const eid = sized('eid', fields.take(0x80).value, 16, 16);
    where = `entry ${index}, EID ${toHex(eid)}`;
    const euiccCert = fields.take(0x81).value;
    const keys = readAll(fields.take(0xa2).value).map((element) => readKey(element.raw));
    const euiccInfo2 = fields.maybe(0x83)?.value;
    fields.end();
    if (keys.length === 0) throw new SimError('no one-time key');
    conformity.passed('eum.entry.fields');
    return { where, eid, euiccCert, keys, euiccInfo2 };
  } catch (error) {
    const expected =
      '30 { 80 eid (16), 81 euiccCert, A2 oneTimeKeys { 30 { 80 keyId, 81 otPk, 82 proof } … }, 83 euiccInfo2 }';
    conformity.failed('eum.entry.fields', where, expected, reasonOf(error));
    return undefined;
  }
}

function readKey(raw: Bytes): ReadKey {
  const fields = new Fields(readOnly(raw, 0x30).value);
  const key = {
    keyId: fields.take(0x80).value,
    otPk: fields.take(0x81).value,
    proof: fields.take(0x82).value,
  };
  fields.end();
  return key;
}
