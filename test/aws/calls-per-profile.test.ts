import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { COUNTED, COUNTED_PROFILES } from '../../bench/scale/counted.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { ingestIdOf } from '../../shared/service/esed1/euicc-batches.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { jobIdOf } from '../../shared/service/records/transaction-id.ts';
import { encodeBppRequest } from '../../sim/index.ts';
import { awsSkipReason } from '../support/aws.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { Bill, type BillSnapshot, countedStores } from './counted-stores.ts';
import { estimate } from './prices.ts';

const ITEMS = COUNTED_PROFILES;
const MAX_DOLLARS = 25;
const BILLED = ['ledgerWriteUnits', 'ppkWriteUnits', 'readUnits', 'vault', 'vaultWrites'] as const;

describe.skipIf(awsSkipReason !== '')(`calls per bound profile${awsSkipReason}`, () => {
  const SUITES = ['p256', 'p256-mlkem768'] as const;

  it.each(SUITES)(
    'a job of 1,000 with %s: 1 Sign, at most 3 ledger write units and 0.02 vault requests each; at most 25 dollars a million',
    async (suite) => {
      const bill = new Bill();
      const stores = await countedStores(bill);
      let signs = 0;
      const deployment = await Deployment.create({
        stores,
        lanes: 'inline',
        config: { draftSuites: ['p256-mlkem768'] },
        onKeyUse: ({ operation }) => {
          if (operation === 'sign') signs += 1;
        },
      });
      // what the trust of a deployment takes is of no order
      bill.take();
      try {
        const { orders, ingest, delivery } = deployment.runtime.services;
        const profiles = { iccidStart: '890010000000000000', keys: 'template' as const };
        await orders.prepareProfiles(
          OPERATOR,
          deployment.order('COUNTED', ITEMS, ownTemplate(), { personalisation: profiles }),
        );
        const prepared = bill.take();
        const euiccs = Array.from({ length: ITEMS }, () => deployment.eum.personalise({ suite }));
        const batchId = randomBytes(16);
        const data = deployment.eum.euiccDataBatch(euiccs, {
          batchId,
          deviceManufacturers: [DEVICE_MAKER.identifier],
        });
        await ingest.registerEuiccData(EUM, data);
        const ingestId = ingestIdOf(EUM.identifier, batchId.toString('hex'));
        // a large one is read first
        await over(stores, 'frames', ingestId);
        await over(stores, 'euiccData', ingestId);
        const registered = bill.take();

        signs = 0;
        const requestId = randomBytes(8);
        const request = encodeBppRequest({
          requestId,
          orderId: 'COUNTED',
          items: euiccs.map(({ eid }, itemId) => ({ itemId, eid })),
        });
        let answer = await delivery.requestBpp(DEVICE_MAKER, request);
        const jobId = jobIdOf(
          deployment.config.deployment,
          DEVICE_MAKER.identifier,
          requestId.toString('hex'),
        );
        await over(stores, 'job', jobId);
        answer = await delivery.getBppBatch(DEVICE_MAKER, { requestId: requestId.toString('hex') });
        expect([answer.state, answer.processed, answer.failed]).toEqual(['Done', ITEMS, []]);
        const bound = bill.take();

        const parts = { prepared, registered, bound };
        // hybrid keys take more, which docs/cost.md tells in words
        if (suite === 'p256')
          // attempts that meet, and when the journal of callers is written, are a few calls more or less
          for (const [bill, counted] of [
            [prepared, COUNTED.prepare],
            [registered, COUNTED.register],
            [bound, COUNTED.bind],
          ] as const)
            for (const unit of BILLED) expect(bill[unit] / ITEMS, unit).toBeCloseTo(counted[unit], 1.7);
        console.log(`${suite}\n${tableOf(parts, signs)}`);
        const dollars = estimate(Object.values(parts), signs, ITEMS);
        console.log(
          `estimated for a million profiles, prepared, registered and bound with ${suite}: $${dollars.toFixed(2)}`,
        );
        expect(signs / ITEMS).toBeLessThanOrEqual(1.01);
        expect(signs).toBeGreaterThanOrEqual(ITEMS);
        expect(bound.ledgerWriteUnits / ITEMS).toBeLessThanOrEqual(3);
        expect(bound.vault / ITEMS).toBeLessThanOrEqual(0.02);
        expect(dollars).toBeLessThanOrEqual(MAX_DOLLARS);
      } finally {
        await deployment.close();
      }
    },
    300_000,
  );
});

/** Waits for work beside the bill: how often a caller asks is the caller's matter. */
async function over(
  stores: Awaited<ReturnType<typeof countedStores>>,
  kind: 'job' | 'frames' | 'euiccData',
  id: string,
): Promise<void> {
  await vi.waitFor(
    async () => {
      const open = await stores.watch.get(ledgerKeys.openWork(kind, id));
      expect(open).toBeUndefined();
    },
    { timeout: 240_000, interval: 500 },
  );
}

/** One line for each kind of call, with what a profile has of it. */
function tableOf(parts: Readonly<Record<string, BillSnapshot>>, signs: number): string {
  const line = (what: string, count: number) =>
    `${what.padEnd(44)} ${String(count).padStart(7)} ${(count / ITEMS).toFixed(4).padStart(9)}`;
  const lines = Object.entries(parts).flatMap(([part, { calls, ...units }]) => [
    ...[...calls].sort().map(([name, count]) => line(`${part}: ${name}`, count)),
    ...Object.entries(units).map(([name, count]) => line(`${part}: ${name}`, count)),
  ]);
  return [`${''.padEnd(44)}   ${ITEMS} profiles`, ...lines, line('bound: Sign', signs)].join('\n');
}
