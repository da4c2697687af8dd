import { afterAll, beforeAll, expect, it } from 'vitest';
import { scanAll } from '../../../shared/ledger/scan.ts';
import { failureWrites } from '../../../shared/service/counts/failures.ts';
import { closeLane } from '../../../shared/service/esbpp/just-in-time/lane-closing.ts';
import { FORGOTTEN_AT_ONCE, HISTORY_DAYS } from '../../../shared/service/life/history.ts';
import { Reaper } from '../../../shared/service/life/reaper.ts';
import { CallCounts } from '../../../shared/service/parties/call-counts.ts';
import { dueBy, partitions } from '../../../shared/service/records/keys.ts';
import { Deployment } from '../../support/deployment.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterAll(() => deployment?.close());

it('failures and counts of calls are there for their days, and not after that (I10)', async () => {
  const { context } = deployment.runtime;
  const { ledger } = context;
  const start = Date.now();
  for (const day of [0, 1]) {
    const atMs = start + day * DAY_MS;
    const counts = new CallCounts({ ...context, now: () => atMs });
    counts.add({
      function: 'es2f.getOrderStatus',
      party: '2.999.60',
      status: 'Executed-Success',
      subjectCode: undefined,
      reasonCode: undefined,
    });
    await counts.write();
    const failures = [{ code: 'eidUnknown' }];
    await ledger.writeMany(failureWrites({ kind: 'item' }, failures, { atMs, id: `day-${day}` }));
  }
  const left = async (days: number) => {
    const now = () => start + days * DAY_MS;
    await new Reaper({ ...context, now }, closeLane).round();
    const lists = await Promise.all(
      [partitions.failures, partitions.calls].map((partition) => ledger.query(partition)),
    );
    return lists.map(({ items }) => items.length);
  };
  expect(await left(HISTORY_DAYS - 1)).toEqual([2, 2]);
  expect(await left(HISTORY_DAYS + 0.5)).toEqual([1, 1]);
  expect(await left(HISTORY_DAYS + 1.5)).toEqual([0, 0]);
});

it('much that is due goes in one round that has time, and a part of it in one that has none', async () => {
  const { context } = deployment.runtime;
  const { ledger, now } = context;
  const failures = [{ code: 'eidUnknown' }];
  const atMs = now() - (HISTORY_DAYS + 1) * DAY_MS;
  const old = Array.from({ length: 2 * FORGOTTEN_AT_ONCE + 500 }, (_, n) =>
    failureWrites({ kind: 'item' }, failures, { atMs, id: `old-${n}` }),
  );
  await ledger.writeMany(old.flat());
  const left = async () => (await scanAll(ledger, partitions.failures, { to: dueBy(now() - DAY_MS) })).length;
  const reaper = new Reaper(context, closeLane);
  await reaper.round();
  expect(await left()).toBe(old.length - FORGOTTEN_AT_ONCE);
  let times = 0;
  await reaper.round(() => ++times < 10);
  expect(await left()).toBe(0);
  expect(times).toBeLessThan(3);
});
