import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ledger, Range } from '../../../shared/ledger/ledger.ts';
import { SqliteLedger } from '../../../shared/ledger/sqlite.ts';
import { sweepOutbox } from '../../../shared/notify/outbox.ts';
import { callbackHealth } from '../../../shared/service/callbacks/health.ts';
import { replayParked } from '../../../shared/service/callbacks/replay.ts';
import { listCallbacks } from '../../../shared/service/inventory/callbacks.ts';
import {
  callOfNotice,
  ledgerKeys,
  NOTICE_STRIPES,
  noticeName,
  noticeStripes,
} from '../../../shared/service/records/keys.ts';
import { noticeRecord, parkedNotice } from '../../../shared/service/records/notice.ts';
import { closedNotice } from '../../../shared/service/reports/notices.ts';
import { waitingNotices } from '../../support/notices.ts';

const ORDERS = ['SPREAD-1', 'SPREAD-2', 'SPREAD-3'];
const EACH = 400;
const now = () => 2_000_000;

/** Of each order so many profiles, of which the first has three states to tell of. */
const names = ORDERS.flatMap((orderId) => [
  ...Array.from({ length: EACH }, (_, n) => noticeName(orderId, `00c2f1d84e5a6b7c8d9e0f10${padded(n)}-1`)),
  ...[2, 3].map((state) => noticeName(orderId, `00c2f1d84e5a6b7c8d9e0f10${padded(0)}-${state}`)),
]).sort();

function padded(n: number): string {
  return n.toString(16).padStart(8, '0');
}

let ledger: Ledger;
let queries = 0;
const counted = {
  spreads: true,
  query: (partition: string, range?: Range) => {
    queries += 1;
    return ledger.query(partition, range);
  },
};

beforeAll(async () => {
  ledger = await SqliteLedger.open(':memory:', { spreads: true });
  const notice = (name: string) => ({
    orderId: name.split('#')[0]!,
    url: 'https://operator.example.com/callbacks',
    content: '{}',
    createdAt: 1_000_000,
    attempts: 0,
    dueAt: 1_000_000,
  });
  await ledger.writeMany(
    names.flatMap((name) => [
      { put: ledgerKeys.notice(name), attributes: noticeRecord.to(notice(name)), when: 'absent' as const },
      {
        put: ledgerKeys.parkedNotice(`${name}9`),
        attributes: parkedNotice.to({ ...notice(name), parkedAt: 1_500_000 }),
        when: 'absent' as const,
      },
    ]),
  );
});
afterAll(() => ledger.close());

describe('notices over partitions', () => {
  it('are spread evenly, those of one profile in one', async () => {
    const sizes = await Promise.all(
      noticeStripes.map(async (partition) => (await ledger.query(partition)).items.length),
    );
    expect(noticeStripes).toHaveLength(16);
    const even = names.length / NOTICE_STRIPES;
    for (const size of sizes) expect(Math.abs(size - even)).toBeLessThan(even / 2);
    const partitionOf = (call: string) => ledgerKeys.notice(noticeName('SPREAD-1', call)).partition;
    expect(new Set(['1', '2', '10'].map((state) => partitionOf(`00c2f1d8-${state}`))).size).toBe(1);
  });

  it('are so for the closed profiles of one order too, whose names all begin alike', () => {
    const record = { state: 'Closed', iccid: '8988211000000530082', at: 1 } as const;
    const url = 'https://operator.example.com/';
    const places = Array.from({ length: 400 }, (_, position) => {
      const write = closedNotice({ orderId: 'SPREAD-1', position, url, caller: '2.999.10', record });
      return 'put' in write ? write.put.partition : '';
    });
    const sizes = [...Map.groupBy(places, (partition) => partition).values()].map(({ length }) => length);
    expect(sizes).toHaveLength(16);
    expect(Math.max(...sizes)).toBeLessThan(2 * (400 / NOTICE_STRIPES));
  });

  it('are listed by pages in the order of their names, each once, of all orders or of one', async () => {
    for (const state of ['waiting', 'parked'] as const)
      for (const orderId of [undefined, 'SPREAD-2']) {
        const calls: string[] = [];
        let cursor: string | undefined;
        do {
          queries = 0;
          const request = { state, limit: 100, ...(cursor && { cursor }), ...(orderId && { orderId }) };
          const page = await listCallbacks({ ledger: counted }, request);
          expect(queries, 'reads of a page').toBeLessThanOrEqual(3 * NOTICE_STRIPES);
          calls.push(...page.callbacks.map((one) => `${one.orderId} ${one.call}`));
          cursor = page.cursor;
        } while (cursor !== undefined);
        const expected = names
          .filter((name) => orderId === undefined || name.startsWith(`${orderId}#`))
          .map((name) => `${name.split('#')[0]} ${callOfNotice(name)}${state === 'parked' ? '9' : ''}`);
        expect(calls).toEqual(expected);
      }
  });

  it('are counted, the first thousand of them, and the oldest is told of', async () => {
    queries = 0;
    const all = await callbackHealth({ ledger: counted, now });
    expect(all).toMatchObject({
      waiting: 1_000,
      parked: 1_000,
      more: true,
      oldest: '1970-01-01T00:16:40.000Z',
    });
    expect(queries).toBeLessThanOrEqual(4 * NOTICE_STRIPES);
    const one = await callbackHealth({ ledger: counted, now }, 'SPREAD-3');
    expect(one).toMatchObject({ waiting: EACH + 2, parked: EACH + 2 });
    expect(one.more).toBeUndefined();
  });

  it('are all queued by one sweep, in bounded reads, and none twice', async () => {
    queries = 0;
    const queued: string[] = [];
    let largest = 0;
    const take = async (calls: readonly (readonly string[])[]) => {
      const some = calls.flat();
      largest = Math.max(largest, some.length);
      queued.push(...some);
    };
    const watched = { ...counted, writeMany: ledger.writeMany.bind(ledger) };
    expect(await sweepOutbox(watched, take, now)).toBe(names.length);
    expect(queued).toEqual(names);
    expect(largest, 'held at once').toBeLessThanOrEqual(2_000);
    expect(queries).toBeLessThanOrEqual(2 * NOTICE_STRIPES);
    expect(await sweepOutbox(watched, take, now)).toBe(0);
  });

  it('that were given up wait again, so many with each call, until there are no more', async () => {
    const context = {
      ledger,
      now,
      notifier: { wake: () => undefined, flush: async () => undefined, close: async () => undefined },
    };
    const rounds = [];
    for (;;) {
      const { replayed, more } = await replayParked(context, { orderId: 'SPREAD-1', limit: 150 }, 'somebody');
      rounds.push(replayed);
      if (!more) break;
    }
    expect(rounds).toEqual([150, 150, 102]);
    expect(await waitingNotices(ledger, 'SPREAD-1#')).toHaveLength(2 * (EACH + 2));
    expect(await callbackHealth({ ledger, now }, 'SPREAD-1')).toMatchObject({ parked: 0 });
  });
});
