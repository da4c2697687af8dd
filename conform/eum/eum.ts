import { type Bytes, concat, equal, toHex } from '../../shared/codec/bytes.ts';
import { type EcPoint, verify } from '../../sim/curve.ts';
import { SUITES, type SuiteName } from '../../sim/suite.ts';
import { hexTag, readAll, readOnly, readTlv, type Tlv } from '../../sim/tlv.ts';
import { type Check, Conformity } from '../conformity.ts';
import { type ReadBatch, readBatch, reasonOf } from './batch.ts';
import { checkChain, checkEuiccCert, type ReadChain } from './chain.ts';
import { diagnose, expectedOctets, formOf, type Guess, rawOf } from './diagnosis.ts';
import { checkKey, type ProofContext } from './proofs.ts';
import { EUM_RULES, type EumRule } from './rules.ts';

export interface EumInput {
  /** EuiccDataBatch (FF60). */
  readonly batch: Bytes;
  /** Certificates of the CIs that the SM-DPf trusts, DER. */
  readonly cis: readonly Bytes[];
  /** The registered data key of the EUM, where it has one. */
  readonly dataKey?: EcPoint;
  /** A batch that a device manufacturer forwards need not name device manufacturers. */
  readonly isForwarded?: boolean;
  readonly now: Date;
}

/** Holds an EUM's batch against the rules: frame, chain, certificates, one-time keys, proofs and signature. */
export function conformEum(input: EumInput): readonly Check[] {
  const conformity = new Conformity<EumRule>(EUM_RULES);
  const batch = readBatch(input.batch, conformity);
  if (batch === undefined) {
    const rest = (Object.keys(EUM_RULES) as EumRule[]).filter((id) => id !== 'eum.batch.der');
    conformity.skip('the frame of the batch cannot be read', ...rest);
    return conformity.checks;
  }
  if (input.isForwarded)
    conformity.forgive('eum.batch.makers', 'a batch that a device manufacturer forwards');
  const chain = chainOf(batch, input, conformity);
  const suite = checkSuite(batch, chain, conformity);
  checkInfo2(batch.euiccInfo2, batch.ciPkId, 'the batch', conformity);
  checkSignature(batch, input.dataKey, chain, conformity);
  checkEntries(batch, chain, suite, conformity);
  return conformity.checks;
}

/** What cannot be read inside a certificate of the chain is a finding, as one that is no certificate is. */
function chainOf(batch: ReadBatch, input: EumInput, conformity: Conformity<EumRule>): ReadChain | undefined {
  try {
    return checkChain(batch, input, conformity);
  } catch (error) {
    conformity.failed(
      'eum.chain.order',
      'eumChain',
      'certificates whose extensions are DER',
      reasonOf(error),
    );
    return undefined;
  }
}

function checkSuite(
  { curve }: ReadBatch,
  chain: ReadChain | undefined,
  conformity: Conformity<EumRule>,
): SuiteName | undefined {
  const suite = (Object.keys(SUITES) as SuiteName[]).find((name) => SUITES[name].oid === curve);
  const on = chain?.issuer.publicKey.curve;
  const fits = suite !== undefined && (on === undefined || SUITES[suite].curve === on);
  const known = (Object.keys(SUITES) as SuiteName[]).filter(
    (name) => on === undefined || SUITES[name].curve === on,
  );
  const expected = known.map((name) => `${SUITES[name].oid} (${name})`).join(' or ');
  conformity.check('eum.suite', fits, 'curve', expected, `${curve} (${suite ?? 'not known'})`);
  return fits ? suite : undefined;
}

function checkInfo2(info2: Bytes, ciPkId: Bytes, where: string, conformity: Conformity<EumRule>): void {
  let fields: readonly Tlv[];
  try {
    fields = readAll(readOnly(info2, 0xbf22).value);
    conformity.passed('eum.info2.tag');
  } catch (error) {
    const seen = `${reasonOf(error)}: ${toHex(info2.subarray(0, 16))}…`;
    conformity.failed('eum.info2.tag', where, `BF22 and its length: ${toHex(wrapped(info2))}`, seen);
    return;
  }
  const lists = fields.filter(({ tag }) => tag === 0xaa || tag === 0xb3);
  const ids = lists.flatMap(({ value }) => elementsOf(value).map((element) => element.value));
  conformity.check(
    'eum.info2.ci',
    ids.some((id) => equal(id, ciPkId)),
    where,
    `${toHex(ciPkId)} in AA`,
    ids.length === 0
      ? `none; fields ${fields.map(({ tag }) => hexTag(tag)).join(', ')}`
      : ids.map(toHex).join(', '),
  );
}

/** What EuiccInfo2 would be with its tag, where it is its content alone. */
function wrapped(info2: Bytes): Bytes {
  const { length } = info2;
  const octets =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.of(0xbf, 0x22, ...octets), info2);
}

function elementsOf(value: Bytes): readonly Tlv[] {
  try {
    return readAll(value);
  } catch (error) {
    reasonOf(error);
    return [];
  }
}

function checkSignature(
  batch: ReadBatch,
  dataKey: EcPoint | undefined,
  chain: ReadChain | undefined,
  conformity: Conformity<EumRule>,
): void {
  const { eumDataSignature: signature, signed, whole } = batch;
  if (signature === undefined) {
    if (dataKey === undefined)
      conformity.skip('no signature, and no data key', 'eum.signature.form', 'eum.signature.signs');
    else conformity.failed('eum.signature.signs', 'eumDataSignature', expectedOctets(signed), 'no field 8');
    return;
  }
  conformity.check(
    'eum.signature.form',
    signature.length === 64,
    'eumDataSignature',
    '64 octets, r then s',
    () => formOf(signature),
  );
  if (dataKey === undefined) {
    conformity.skip('the data key was not given', 'eum.signature.signs');
    return;
  }
  const raw = rawOf(signature);
  const holds = raw !== undefined && verify(dataKey, signed, raw);
  conformity.check('eum.signature.signs', holds, 'eumDataSignature', expectedOctets(signed), () =>
    diagnose(signature, signed, signatureGuesses(signed, whole, signature), [
      { what: 'the data key', key: dataKey },
      ...(chain === undefined
        ? []
        : [{ what: 'the key of the EUM certificate', key: chain.issuer.publicKey }]),
    ]),
  );
}

function signatureGuesses(signed: Bytes, whole: Bytes, signature: Bytes): readonly Guess[] {
  const fields = readAll(signed);
  const without = (tag: number) => concat(...fields.filter((one) => one.tag !== tag).map(({ raw }) => raw));
  // FF60 as it was before the signature was put into it
  const unsigned = concat(Uint8Array.of(0xff, 0x60), lengthOctets(signed.length), signed);
  const { headerLength } = readTlv(whole);
  return [
    { what: 'the whole batch before field 8, FF60 and its length included', octets: unsigned },
    {
      what: 'the fields under the header of the finished batch',
      octets: concat(whole.subarray(0, headerLength), signed),
    },
    {
      what: 'the whole batch with field 8 of zeros',
      octets: concat(whole.subarray(0, -signature.length), new Uint8Array(signature.length)),
    },
    { what: 'the fields without deviceManufacturers', octets: without(0xa7) },
    { what: 'the fields without the version', octets: without(0x80) },
    {
      what: 'the entries alone',
      octets: concat(...fields.filter(({ tag }) => tag === 0xa6).map(({ raw }) => raw)),
    },
    {
      what: 'the fields in a SEQUENCE (30)',
      octets: concat(Uint8Array.of(0x30), lengthOctets(signed.length), signed),
    },
  ];
}

function lengthOctets(length: number): Bytes {
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return length < 0x80 ? Uint8Array.of(length) : Uint8Array.of(0x80 + octets.length, ...octets);
}

function checkEntries(
  batch: ReadBatch,
  chain: ReadChain | undefined,
  suite: SuiteName | undefined,
  conformity: Conformity<EumRule>,
): void {
  const eumKey = chain?.issuer.publicKey;
  const context: ProofContext | undefined =
    suite === undefined ? undefined : { batch, suite, eumKey, seen: new Map() };
  if (context === undefined)
    conformity.skip(
      'the suite is not known',
      'eum.key.octets',
      'eum.key.own',
      'eum.proof.form',
      'eum.proof.signs',
    );
  const eids = new Set<string>();
  for (const entry of batch.entries) {
    const eid = toHex(entry.eid);
    if (eids.has(eid))
      conformity.failed('eum.entry.eid', entry.where, 'an EID that occurs once', 'it occurs twice');
    eids.add(eid);
    const certificate = checkEuiccCert(entry, chain, conformity);
    if (entry.euiccInfo2 !== undefined) checkInfo2(entry.euiccInfo2, batch.ciPkId, entry.where, conformity);
    if (certificate === undefined || context === undefined) continue;
    for (const key of entry.keys) checkKey(entry, key, certificate, context, conformity);
  }
}
