import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { conformMaker, type MakerInput } from '../../conform/maker/maker.ts';
import { MAKER_RULES } from '../../conform/maker/rules.ts';
import { type Bytes, concat } from '../../shared/codec/bytes.ts';
import { signInstallationResult } from '../../sim/euicc/results.ts';
import {
  encodeBppBatch,
  encodeBppRequest,
  encodeProfileLoadingReport,
  type ReportItem,
  type RequestItem,
} from '../../sim/ifpp-draft1.ts';
import { Production } from './eum-faults.ts';

let production: Production;
let euiccData: Bytes;
let bppBatch: Bytes;
let results: Bytes[];

const ICCID = '8988000000000000004';
const transactionId = (at: number): Bytes => Buffer.alloc(16, at + 1);

beforeAll(() => {
  production = new Production();
  euiccData = production.write();
  const { euiccs } = production;
  const bound = (at: number) => ({
    transactionId: transactionId(at),
    keyId: euiccs[at]!.oneTimeKeys[0]!.keyId,
    iccid: ICCID,
    chain: 0,
    bpp: Buffer.from('bf3600', 'hex'),
  });
  const items = euiccs.map(({ eid }, at) => ({ itemId: at + 1, eid, bound: bound(at) }));
  bppBatch = encodeBppBatch({ requestId: randomBytes(16), chains: [], items });
  results = euiccs.map(({ key }, at) => pir(at, key));
});

const pir = (at: number, key: Production['dataKey']): Bytes =>
  signInstallationResult(
    {
      transactionId: transactionId(at),
      notification: { seqNumber: 1, event: 'install', address: 'smdpf.example.com', iccid: ICCID },
      smdpOid: '2.999.10',
      finalResult: { isdpAid: Buffer.from('a0000005591010ffffffff8900001000', 'hex') },
    },
    key,
  );

const request = (change: (items: RequestItem[]) => RequestItem[] = (items) => items): Bytes =>
  encodeBppRequest({
    requestId: randomBytes(16),
    orderId: 'ORD-1',
    euiccData,
    items: change(production.euiccs.map(({ eid }, at) => ({ itemId: at + 1, eid, iccid: ICCID }))),
  });

const report = (change: (items: ReportItem[]) => ReportItem[] = (items) => items): Bytes =>
  encodeProfileLoadingReport({
    reportId: randomBytes(16),
    items: change(results.map((euiccResult) => ({ euiccResult, at: new Date() }))),
  });

const failed = (input: Omit<MakerInput, 'now'>): string[] =>
  conformMaker({ ...input, now: new Date() })
    .filter(({ result }) => result === 'failed')
    .map(({ id }) => id);

it('a right request and a right report pass every check', () => {
  const input = { request: request(), report: report(), bppBatch, cis: [production.ci.certificate] };
  const checks = conformMaker({ ...input, now: new Date() });
  expect(checks.filter(({ result }) => result === 'failed')).toEqual([]);
  const own = checks.filter(({ id }) => id.startsWith('maker.'));
  expect(own.filter(({ result }) => result === 'skipped')).toEqual([]);
  expect(own.map(({ id }) => id)).toEqual(Object.keys(MAKER_RULES));
  expect(checks.some(({ id, result }) => id === 'eum.proof.signs' && result === 'passed')).toBe(true);
});

describe('a request with one fault', () => {
  const item = (at: number, change: Partial<RequestItem>) => (items: RequestItem[]) =>
    items.map((one, index) => (index === at ? { ...one, ...change } : one));

  it.each<[string, string, () => Bytes]>([
    ['octets behind the request', 'maker.request.der', () => concat(request(), Buffer.of(0))],
    ['no items', 'maker.request.fields', () => request(() => [])],
    ['an itemId twice', 'maker.request.item-id', () => request(item(1, { itemId: 1 }))],
    ['an EID with wrong check digits', 'maker.request.eid', () => request(item(0, { eid: '8'.repeat(32) }))],
    [
      'an EID twice',
      'maker.request.second-profile',
      () => request(([one, two, three]) => [one!, { ...two!, eid: one!.eid }, three!]),
    ],
    ['a wrong Luhn digit', 'maker.request.iccid', () => request(item(0, { iccid: '89880000000000000042' }))],
    ['a keyId of 17 octets', 'maker.request.item', () => request(item(0, { keyId: randomBytes(17) }))],
  ])('%s: %s is named', (_what, rule, made) => {
    expect(failed({ request: made() })).toEqual([rule]);
  });
});

describe('a report with one fault', () => {
  it.each<[string, string, () => Bytes]>([
    ['octets behind the report', 'maker.report.der', () => concat(report(), Buffer.of(0))],
    [
      'a status word behind the result',
      'maker.report.result',
      () =>
        report(([, ...rest]) => [{ euiccResult: concat(results[0]!, Buffer.from('9000', 'hex')) }, ...rest]),
    ],
    [
      'the result of another eUICC',
      'maker.report.signature',
      () => report(([, ...rest]) => [{ euiccResult: pir(0, production.euiccs[1]!.key) }, ...rest]),
    ],
    [
      'a result of no transaction',
      'maker.report.transaction',
      () =>
        report((items) => [
          ...items,
          {
            fpaError: {
              transactionId: Buffer.alloc(16, 99),
              eid: production.euiccs[0]!.eid,
              cause: 'damaged',
            },
          },
        ]),
    ],
    ['a result twice', 'maker.report.transaction', () => report((items) => [...items, items[0]!])],
    ['an item that is missing', 'maker.report.complete', () => report(([, ...rest]) => rest)],
  ])('%s: %s is named', (_what, rule, made) => {
    const rules = failed({ report: made(), bppBatch, euiccData });
    expect(rules).toContain(rule);
    // an item whose result cannot be read is missing from the report too
    expect(rules.filter((id) => id !== 'maker.report.complete' && id !== rule)).toEqual([]);
  });
});
