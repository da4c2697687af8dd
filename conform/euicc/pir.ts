import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { decodeIccid, decodeInteger, decodeOid, decodeUtf8 } from '../../sim/coding.ts';
import { type EcPoint, verify } from '../../sim/curve.ts';
import { Fields, readAll, readOnly, readTlv, SimError } from '../../sim/tlv.ts';
import type { Conformity } from '../conformity.ts';
import { diagnose, expectedOctets, formOf, rawOf, sha256 } from '../eum/diagnosis.ts';
import type { EuiccRule } from './rules.ts';

/** What a ProfileInstallationResult says. */
export interface ReadPir {
  readonly transactionId: string;
  readonly iccid: string | undefined;
  readonly smdpOid: string;
  /** `success`, or the command and the reason of the error. */
  readonly finalResult: string;
  readonly bppCommandId?: number;
  readonly errorReason?: number;
}

/** Holds a result (BF37) against SGP.22; undefined where it cannot be read. */
export function checkPir(
  pir: Bytes,
  { euicc, smdpOid, where }: { readonly euicc?: EcPoint; readonly smdpOid?: string; readonly where: string },
  conformity: Conformity<EuiccRule>,
): ReadPir | undefined {
  let data: { readonly raw: Bytes; readonly value: Bytes };
  let signature: Bytes;
  try {
    const fields = new Fields(readOnly(pir, 0xbf37).value);
    data = fields.take(0xbf27);
    signature = fields.take(0x5f37).value;
    fields.end();
    conformity.passed('euicc.pir.der');
  } catch (error) {
    conformity.failed('euicc.pir.der', where, 'BF37 { BF27 …, 5F37 }', messageOf(error));
    return undefined;
  }
  const isRaw = signature.length === 64;
  conformity.check('euicc.pir.signature-form', isRaw, where, '64 octets, r then s', () => formOf(signature));
  if (euicc === undefined) conformity.skip('CERT.EUICC was not given', 'euicc.pir.signature');
  else {
    const raw = rawOf(signature);
    const holds = raw !== undefined && verify(euicc, data.raw, raw);
    const guesses = [
      { what: 'the content without BF27 and its length', octets: data.value },
      { what: 'the SHA-256 of the content', octets: sha256(data.value) },
      { what: 'the content under the tag 30', octets: readTlv(pir).value },
    ];
    conformity.check('euicc.pir.signature', holds, where, expectedOctets(data.raw), () =>
      diagnose(signature, data.raw, guesses, [{ what: 'SK.EUICC', key: euicc }]),
    );
  }
  const read = readData(data.value, where, conformity);
  if (read !== undefined && smdpOid !== undefined)
    conformity.check('euicc.pir.smdp-oid', read.smdpOid === smdpOid, where, smdpOid, read.smdpOid);
  return read;
}

function readData(value: Bytes, where: string, conformity: Conformity<EuiccRule>): ReadPir | undefined {
  try {
    const fields = new Fields(value);
    const transactionId = toHex(fields.take(0x80).value);
    const metadata = new Fields(fields.take(0xbf2f).value);
    decodeInteger(metadata.take(0x80).value);
    metadata.take(0x81);
    decodeUtf8(metadata.take(0x0c).value);
    const iccid = metadata.maybe(0x5a);
    metadata.end();
    const smdpOid = decodeOid(fields.take(0x06).value);
    const result = readTlv(fields.take(0xa2).value);
    fields.end();
    const read = { transactionId, iccid: iccid && decodeIccid(iccid.value), smdpOid, ...finalResult(result) };
    conformity.passed('euicc.pir.data');
    return read;
  } catch (error) {
    const expected =
      'BF27 { 80 transactionId, BF2F { 80, 81, 0C, 5A }, 06 smdpOid, A2 { A0 { 4F, 04 } or A1 { 80, 81 } } }';
    conformity.failed('euicc.pir.data', where, expected, messageOf(error));
    return undefined;
  }
}

function finalResult({ tag, value }: { readonly tag: number; readonly value: Bytes }) {
  const fields = readAll(value);
  if (tag === 0xa0) {
    const aid = fields.find((field) => field.tag === 0x4f)?.value;
    if (aid === undefined || aid.length < 5 || aid.length > 16)
      throw new SimError('SuccessResult has no aid of 5 to 16 octets');
    return { finalResult: 'success' };
  }
  if (tag !== 0xa1) throw new SimError('finalResult is neither A0 nor A1');
  const number = (wanted: number) => {
    const field = fields.find((one) => one.tag === wanted);
    if (field === undefined) throw new SimError('ErrorResult lacks bppCommandId or errorReason');
    return decodeInteger(field.value);
  };
  const bppCommandId = number(0x80);
  const errorReason = number(0x81);
  return {
    finalResult: `error, bppCommandId ${bppCommandId}, errorReason ${errorReason}`,
    bppCommandId,
    errorReason,
  };
}

function messageOf(error: unknown): string {
  if (error instanceof SimError) return error.message;
  throw error;
}
