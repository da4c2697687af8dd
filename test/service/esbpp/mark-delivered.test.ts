import { afterEach, beforeEach, expect, it } from 'vitest';
import { SqliteLedger } from '../../../shared/ledger/sqlite.ts';
import { countedDays, sum } from '../../../shared/service/counts/order-counts.ts';
import { markDelivered } from '../../../shared/service/esbpp/mark-delivered.ts';
import { chunkProgress } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';

const JOB = 'ab'.repeat(16);
/** One more than a branch of a manifest has. */
const PAGES = 1_025;
const CHUNK = { bound: 3, refused: 0, size: 9, finished: true } as const;

let ledger: SqliteLedger;
let lost = 0;
beforeEach(async () => {
  ledger = await SqliteLedger.open(':memory:');
  lost = 0;
  const transact = ledger.transact.bind(ledger);
  ledger.transact = async (writes) => {
    const outcome = await transact(writes);
    if (!outcome.done) lost += 1;
    return outcome;
  };
  const writes = Array.from({ length: PAGES }, (_, chunk) => ({
    put: ledgerKeys.chunkProgress(JOB, chunk),
    attributes: chunkProgress.to(CHUNK),
    when: 'absent' as const,
  }));
  await ledger.writeMany(writes);
});
afterEach(() => ledger.close());

const mark = (page: number) =>
  markDelivered({ ledger, now: Date.now }, JOB, { orderId: 'O' }, page, page + 1);
const counted = async () => sum(...(await countedDays(ledger, 'O')).values());

it('a thousand pages of an answer that are asked for at once are marked without a race that is lost', async () => {
  await Promise.all(Array.from({ length: PAGES }, (_, page) => mark(page)));
  expect(lost).toBe(0);
  expect(await counted()).toEqual({ Bound: -3 * PAGES, Delivered: 3 * PAGES });
});

it('pages that others mark as well, by a ledger of their own, are counted once', async () => {
  const other = new Proxy(ledger, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const also = (page: number) =>
    markDelivered({ ledger: other, now: Date.now }, JOB, { orderId: 'O' }, page, page + 1);
  await Promise.all(Array.from({ length: 40 }, (_, page) => [mark(page), also(page)]).flat());
  expect(await counted()).toEqual({ Bound: -120, Delivered: 120 });
});
