import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AuditLog } from '../../../shared/service/audit/log.ts';
import type { JobRecord } from '../../../shared/service/records/job.ts';
import { transactionId } from '../../../shared/service/records/transaction-id.ts';
import { applyResults, TOGETHER, type ToldChange } from '../../../shared/service/reports/apply-results.ts';
import { Deployment } from '../../support/deployment.ts';
import { meteredLedger } from '../../support/metered-ledger.ts';

const GROUPS = 5;
const jobId = 'a'.repeat(24);
const job: JobRecord = {
  party: '2.999.50',
  requestId: 'REQUEST-1',
  orderId: 'ORD-COST',
  bodyHash: 'a'.repeat(64),
  items: GROUPS * TOGETHER,
  chunkSize: 250,
  chunkOffsets: [0, 1],
  chunkHashes: new Uint8Array(32),
  runs: [[0, 0, GROUPS * TOGETHER]],
  refusedData: [],
  createdAt: 1,
};

const installed = (position: number): ToldChange => ({
  transaction: {
    id: transactionId(jobId, position),
    jobId,
    chunk: 0,
    job,
    bound: {
      itemId: position,
      eid: '89049032123451234512345678901235',
      keyId: '0011223344556677',
      position,
      iccid: '8988211000000530082',
      chain: 0,
      eumChain: 'a'.repeat(64),
      suite: 'p256',
      otpk: 'a'.repeat(64),
    },
    partSize: 1_000,
  },
  event: 'installed',
  // a ProfileInstallationResult has some 200 octets
  news: { result: randomBytes(200) },
  callbackUrl: undefined,
  callbackBatch: undefined,
  caller: '2.999.10',
});

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
  await deployment.runtime.audit.chain();
});
afterAll(() => deployment.close());

it('a result on AWS costs some units of the ledger for its state, and as many as a line of the audit log takes', async () => {
  const { context } = deployment.runtime;
  const units = { write: 0, read: 0 };
  const byPartition = new Map<string, number>();
  const ledger = meteredLedger(context.ledger, units, byPartition);
  const results = GROUPS * TOGETHER;
  for (let group = 0; group < GROUPS; group++)
    await applyResults(
      { ...context, ledger },
      Array.from({ length: TOGETHER }, (_, n) => installed(group * TOGETHER + n)),
    );
  expect(await new AuditLog(ledger, context.vault).chain()).toBe(results);
  const each = (list: string) => {
    const all = [...byPartition].filter(([partition]) => partition.startsWith(list));
    return all.reduce((sum, [, cost]) => sum + cost, 0) / results;
  };
  // bench/scale/model.ts and docs/cost.md
  expect(each('audit-pending#')).toBe(4);
  expect(each('audit-line#')).toBe(2);
  expect(units.write / results).toBeLessThan(8.4);
  expect(units.read / results).toBeLessThan(3);
});
