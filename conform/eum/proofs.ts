import { createHash } from 'node:crypto';
import { type Bytes, concat, equal, toHex } from '../../shared/codec/bytes.ts';
import type { Certificate } from '../../sim/certificate.ts';
import { swapNibbles } from '../../sim/coding.ts';
import { type CurveName, checkPoint, type EcPoint, verify } from '../../sim/curve.ts';
import { SUITES, type SuiteName } from '../../sim/suite.ts';
import { readTlv, tlv } from '../../sim/tlv.ts';
import type { Conformity } from '../conformity.ts';
import { type ReadBatch, type ReadEntry, type ReadKey, reasonOf } from './batch.ts';
import { diagnose, expectedOctets, formOf, type Guess, rawOf, sha256 } from './diagnosis.ts';
import type { EumRule } from './rules.ts';

/** Octets of an ML-KEM-768 encapsulation key, which stands behind the point where the suite has one. */
const ENCAPSULATION_KEY = 1184;

/** What proofs of a batch are looked at with. */
export interface ProofContext {
  readonly batch: ReadBatch;
  readonly suite: SuiteName;
  /** The key of the issuer, with which an EUM may have signed by mistake. */
  readonly eumKey: EcPoint | undefined;
  /** One-time keys seen in the batch, in hexadecimal, and where. */
  readonly seen: Map<string, string>;
}

export function checkKey(
  entry: ReadEntry,
  key: ReadKey,
  certificate: Certificate,
  context: ProofContext,
  conformity: Conformity<EumRule>,
): void {
  const { where: entryWhere } = entry;
  const where = `${entryWhere}, key ${toHex(key.keyId)}`;
  const { length } = key.keyId;
  const twice = entry.keys.some((one) => one !== key && equal(one.keyId, key.keyId));
  conformity.check(
    'eum.key.identifier',
    length >= 1 && length <= 16 && !twice,
    where,
    'a keyId of 1 to 16 octets that no other key of the eUICC has',
    twice ? 'another key has it too' : `${length} octets`,
  );
  checkOctets(key.otPk, where, context, conformity);
  const hex = toHex(key.otPk);
  const before = context.seen.get(hex);
  context.seen.set(hex, where);
  const isOwn = !equal(key.otPk.subarray(0, 65), certificate.publicKey.point);
  conformity.check(
    'eum.key.own',
    isOwn && before === undefined,
    where,
    'a key that occurs once',
    isOwn ? `the key of ${before ?? ''}` : 'the key of CERT.EUICC',
  );
  checkProof(entry, key, certificate, context, where, conformity);
}

function checkOctets(
  otPk: Bytes,
  where: string,
  { suite }: ProofContext,
  conformity: Conformity<EumRule>,
): void {
  const { curve, ciphertextTag } = SUITES[suite];
  const wanted = ciphertextTag === undefined ? 65 : 65 + ENCAPSULATION_KEY;
  const expected = `${wanted} octets of ${suite}, starting with 04`;
  if (otPk.length !== wanted) {
    conformity.failed(
      'eum.key.octets',
      where,
      expected,
      `${otPk.length} octets: ${toHex(otPk.subarray(0, 100))}`,
    );
    return;
  }
  try {
    checkPoint(curve, otPk.subarray(0, 65));
    conformity.passed('eum.key.octets');
  } catch (error) {
    conformity.failed(
      'eum.key.octets',
      where,
      expected,
      `${reasonOf(error)}: ${toHex(otPk.subarray(0, 65))}`,
    );
  }
}

function checkProof(
  entry: ReadEntry,
  key: ReadKey,
  certificate: Certificate,
  context: ProofContext,
  where: string,
  conformity: Conformity<EumRule>,
): void {
  const info2 = entry.euiccInfo2 ?? context.batch.euiccInfo2;
  const tbs = tbsOf(entry.eid, key.keyId, key.otPk, sha256(info2));
  const isRaw = key.proof.length === 64;
  conformity.check('eum.proof.form', isRaw, where, '64 octets, r then s, big-endian', () =>
    formOf(key.proof),
  );
  const raw = rawOf(key.proof);
  const holds = raw !== undefined && verify(certificate.publicKey, tbs, raw);
  conformity.check('eum.proof.signs', holds, where, expectedOctets(tbs), () =>
    diagnose(key.proof, tbs, guessesOf(entry, key, context), [
      { what: 'the eUICC', key: certificate.publicKey },
      ...(context.eumKey === undefined
        ? []
        : [{ what: 'the key of the EUM certificate', key: context.eumKey }]),
      ...onetimeSigner(key, certificate.publicKey.curve),
    ]),
  );
}

/** FF64 of an EID that need not be made of digits. */
const tbsOf = (eid: Bytes, keyId: Bytes, otPk: Bytes, hash: Bytes): Bytes =>
  tlv(0xff64, tlv(0x80, eid), tlv(0x81, keyId), tlv(0x82, otPk), tlv(0x83, hash));

function onetimeSigner(key: ReadKey, curve: CurveName) {
  try {
    const point = checkPoint(curve, key.otPk.subarray(0, 65));
    return [{ what: 'the one-time key itself', key: { curve, point } }];
  } catch (error) {
    reasonOf(error);
    return [];
  }
}

/** Mistakes that implementers make in what they sign. */
function* guessed(entry: ReadEntry, key: ReadKey, { batch }: ProofContext): Generator<Guess> {
  const { eid } = entry;
  const { keyId, otPk } = key;
  const info2 = entry.euiccInfo2 ?? batch.euiccInfo2;
  const hash = sha256(info2);
  const tbs = tbsOf(eid, keyId, otPk, hash);
  const tagless = readTlv(tbs).value;
  yield { what: 'the fields without FF64 and its length', octets: tagless };
  yield { what: 'them under the tag 30 in place of FF64', octets: tlv(0x30, tagless) };
  for (const [what, wrong] of wrongHashes(info2, entry, batch))
    yield { what: `them with euiccInfo2Hash over ${what}`, octets: tbsOf(eid, keyId, otPk, wrong) };
  for (const other of batch.entries)
    if (other !== entry && !equal(other.eid, eid))
      yield { what: `them with the EID ${toHex(other.eid)}`, octets: tbsOf(other.eid, keyId, otPk, hash) };
  for (const other of entry.keys)
    if (other !== key) {
      yield {
        what: `them with the keyId ${toHex(other.keyId)}`,
        octets: tbsOf(eid, other.keyId, otPk, hash),
      };
      yield {
        what: `them with the otPk of key ${toHex(other.keyId)}`,
        octets: tbsOf(eid, keyId, other.otPk, hash),
      };
    }
  const digits = toHex(eid);
  yield { what: 'them with the EID as text', octets: tbsOf(Buffer.from(digits), keyId, otPk, hash) };
  yield { what: 'them with the EID in swapped nibbles', octets: tbsOf(swapNibbles(eid), keyId, otPk, hash) };
  for (const text of [toHex(keyId), toHex(keyId).toUpperCase()])
    yield { what: 'them with the keyId as text', octets: tbsOf(eid, Buffer.from(text), otPk, hash) };
  const x = otPk.subarray(1, 33);
  const compressed = concat(Uint8Array.of(2 + ((otPk[64] ?? 0) & 1)), x);
  yield { what: 'them with a compressed otPk', octets: tbsOf(eid, keyId, compressed, hash) };
  yield { what: 'them with otPk without 04', octets: tbsOf(eid, keyId, otPk.subarray(1), hash) };
  yield {
    what: 'them without euiccInfo2Hash',
    octets: tlv(0xff64, tlv(0x80, eid), tlv(0x81, keyId), tlv(0x82, otPk)),
  };
  yield { what: 'otPk alone', octets: otPk };
  yield { what: 'the values without any tags', octets: concat(eid, keyId, otPk, hash) };
}

const guessesOf = (entry: ReadEntry, key: ReadKey, context: ProofContext): readonly Guess[] => [
  ...guessed(entry, key, context),
];

function* wrongHashes(
  info2: Bytes,
  entry: ReadEntry,
  batch: ReadBatch,
): Generator<[what: string, hash: Bytes]> {
  const value = contentOf(info2);
  if (value !== undefined) yield ['EuiccInfo2 without its tag BF22', sha256(value)];
  yield ['the OCTET STRING that EuiccInfo2 stands in', sha256(tlv(0x85, info2))];
  yield ['EuiccInfo2 with BF22 once more around it', sha256(tlv(0xbf22, info2))];
  yield ['the hash of EuiccInfo2', sha256(sha256(info2))];
  yield ['EuiccInfo2 in hexadecimal digits', sha256(Buffer.from(toHex(info2)))];
  yield ['EuiccInfo2 with SHA-1', createHash('sha1').update(info2).digest()];
  yield ['EuiccInfo2 with SHA-384', createHash('sha384').update(info2).digest()];
  yield ['nothing', sha256(new Uint8Array())];
  yield ['nothing: 32 zeros', new Uint8Array(32)];
  if (entry.euiccInfo2 !== undefined)
    yield ['the EuiccInfo2 of the batch, not of the entry', sha256(batch.euiccInfo2)];
  for (const other of batch.entries)
    if (other.euiccInfo2 !== undefined && other !== entry)
      yield [`the EuiccInfo2 of ${other.where}`, sha256(other.euiccInfo2)];
}

function contentOf(info2: Bytes): Bytes | undefined {
  try {
    return readTlv(info2).value;
  } catch (error) {
    reasonOf(error);
    return undefined;
  }
}
