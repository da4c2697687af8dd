import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { parseCertificate } from '../../sim/certificate.ts';
import { type EcPoint, verify } from '../../sim/curve.ts';
import { type BppBatch, decodeBppBatch, decodeProfileLoadingReport } from '../../sim/ifpp-draft1.ts';
import { Fields, readAll, readOnly } from '../../sim/tlv.ts';
import type { Conformity } from '../conformity.ts';
import { diagnose, expectedOctets } from '../eum/diagnosis.ts';
import { messageOf } from './request.ts';
import type { MakerRule } from './rules.ts';

export interface ReportContext {
  /** BppBatch (FF62) that the report is about. */
  readonly bppBatch?: Bytes;
  /** EuiccDataBatch (FF60) with the certificates of its eUICCs. */
  readonly euiccData?: Bytes;
}

/** Holds a ProfileLoadingReport (FF63) against the rules. */
export function checkReport(report: Bytes, context: ReportContext, conformity: Conformity<MakerRule>): void {
  try {
    readAll(readOnly(report, 0xff63).value);
    conformity.passed('maker.report.der');
  } catch (error) {
    conformity.failed('maker.report.der', 'the report', 'FF63, each length minimal', messageOf(error));
    return;
  }
  let items: ReturnType<typeof decodeProfileLoadingReport>['items'];
  try {
    items = decodeProfileLoadingReport(report).items;
    conformity.passed('maker.report.fields');
  } catch (error) {
    const expected =
      '80 version 1, 81 reportId (1 to 16), A2 { A0 euiccResult, A1 fpaError, A2 otherSigned }';
    conformity.failed('maker.report.fields', 'the report', expected, messageOf(error));
    return;
  }
  const batch = context.bppBatch === undefined ? undefined : decodeBppBatch(context.bppBatch);
  const eids = new Map(boundOf(batch).map(({ transactionId, eid }) => [transactionId, eid]));
  const keys = context.euiccData === undefined ? undefined : keysOf(context.euiccData);
  if (batch === undefined)
    conformity.skip(
      'no BppBatch was given',
      'maker.report.transaction',
      'maker.report.signature',
      'maker.report.complete',
    );
  if (keys === undefined) conformity.skip('no eUICC data were given', 'maker.report.signature');
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    if ('otherSigned' in item) continue;
    const where = `item ${index}`;
    const result = 'euiccResult' in item ? readResult(item.euiccResult, where, conformity) : undefined;
    if ('euiccResult' in item && result === undefined) continue;
    const transactionId =
      result?.transactionId ?? ('fpaError' in item ? toHex(item.fpaError.transactionId) : '');
    if (batch === undefined) continue;
    const eid = eids.get(transactionId);
    const once = !seen.has(transactionId);
    seen.add(transactionId);
    conformity.check(
      'maker.report.transaction',
      eid !== undefined && once,
      where,
      'a transactionId of the BppBatch, once',
      `${transactionId}${once ? '' : ' again'}`,
    );
    const key = eid === undefined ? undefined : keys?.get(eid);
    if (result !== undefined && key !== undefined)
      checkSignature(result, key, `${where}, EID ${eid}`, conformity);
  }
  for (const { transactionId, eid } of boundOf(batch))
    conformity.check(
      'maker.report.complete',
      seen.has(transactionId),
      `EID ${eid}`,
      `an item for ${transactionId}`,
      'none',
    );
}

const boundOf = (batch: BppBatch | undefined) =>
  (batch?.items ?? []).flatMap(({ eid, bound }) =>
    bound === undefined ? [] : [{ eid, transactionId: toHex(bound.transactionId) }],
  );

interface ReadResult {
  readonly transactionId: string;
  readonly signed: Bytes;
  readonly signature: Bytes;
}

function readResult(pir: Bytes, where: string, conformity: Conformity<MakerRule>): ReadResult | undefined {
  try {
    const fields = new Fields(readOnly(pir, 0xbf37).value);
    const data = fields.take(0xbf27);
    const signature = fields.take(0x5f37).value;
    fields.end();
    const transactionId = toHex(new Fields(data.value).take(0x80).value);
    conformity.passed('maker.report.result');
    return { transactionId, signed: data.raw, signature };
  } catch (error) {
    conformity.failed('maker.report.result', where, 'BF37 { BF27 …, 5F37 }', messageOf(error));
    return undefined;
  }
}

function checkSignature(
  { signed, signature }: ReadResult,
  key: EcPoint,
  where: string,
  conformity: Conformity<MakerRule>,
): void {
  conformity.check(
    'maker.report.signature',
    verify(key, signed, signature),
    where,
    expectedOctets(signed),
    () => diagnose(signature, signed, [], [{ what: 'SK.EUICC', key }]),
  );
}

/** Public keys of the eUICCs of a batch by their EID. */
function keysOf(euiccData: Bytes): ReadonlyMap<string, EcPoint> {
  const entries = readAll(readOnly(euiccData, 0xff60).value).find(({ tag }) => tag === 0xa6);
  return new Map(
    readAll(entries?.value ?? new Uint8Array()).map(({ value }) => {
      const fields = new Fields(value);
      return [toHex(fields.take(0x80).value), parseCertificate(fields.take(0x81).value).publicKey];
    }),
  );
}
