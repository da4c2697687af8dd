import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Ledger } from '../../../shared/ledger/ledger.ts';
import { openLedger } from '../../../shared/ledger/open.ts';
import { ledgerKeys, orderPartition, RETURNED } from '../../../shared/service/records/keys.ts';
import { returnedRecord, shareRecord, supplyRecord } from '../../../shared/service/records/order.ts';
import { LANE_LENGTH, layLanes, SHARERS_WHO_MEET } from '../../../shared/service/supply/lane-laying.ts';
import type { Sharer } from '../../../shared/service/supply/shares.ts';

const ORDER = 'LANES';
const PACK_SIZE = 100;
let ledger: Ledger;
beforeEach(async () => {
  ledger = await openLedger('sqlite::memory:');
});
afterEach(() => ledger.close());

const stock = (end: number) =>
  ledger.write({
    put: ledgerKeys.orderSupply(ORDER),
    attributes: supplyRecord.to({ next: 0, end, taken: [] }),
    when: 'absent',
  });
const MAKER = { maker: 'one', share: undefined };
const lay = (wanted: number, through: Ledger = ledger, sharer: Sharer = MAKER) =>
  layLanes({ ledger: through, now: () => 1_000 }, { orderId: ORDER, packSize: PACK_SIZE, sharer }, wanted);
const positionsOf = (lanes: readonly { readonly positions: readonly number[] }[]) =>
  lanes.flatMap(({ positions }) => positions);

/** The ledger of somebody whose first transaction comes too late. */
function losingOnce(onTransaction: () => void = () => undefined): Ledger {
  let lost = 1;
  return new Proxy(ledger, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (name !== 'transact') return member.bind(target);
      return async (...args: unknown[]) => {
        if (lost-- > 0) return { done: false, failed: new Map() };
        onTransaction();
        return await Reflect.apply(member, target, args);
      };
    },
  });
}

it('lays lanes for all who wait in one transaction', async () => {
  await stock((SHARERS_WHO_MEET + 3) * LANE_LENGTH);
  let transactions = 0;
  const counted = new Proxy(ledger, {
    get(target, name) {
      if (name === 'transact') transactions += 1;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const lanes = await lay(3, counted);
  expect(lanes.map(({ positions }) => positions.length)).toEqual([LANE_LENGTH, LANE_LENGTH, LANE_LENGTH]);
  expect(new Set(positionsOf(lanes)).size).toBe(3 * LANE_LENGTH);
  expect(transactions).toBe(1);
});

it('whoever was slower than others lays a spare lane, which the next takes over without the supply', async () => {
  await stock((SHARERS_WHO_MEET + 4) * LANE_LENGTH);
  let transactions = 0;
  const losing = losingOnce(() => {
    transactions += 1;
  });
  const own = await lay(1, losing);
  const taken = await lay(1, losing);
  const next = await lay(1, losing);
  expect([own, taken, next].map((lanes) => lanes.length)).toEqual([1, 1, 1]);
  expect(transactions).toBe(2);
  expect(new Set(positionsOf([...own, ...taken, ...next])).size).toBe(3 * LANE_LENGTH);
  // what was taken over is nobody else's, and ends with the trace that came with it
  const [lane] = taken;
  expect(returnedRecord.from((await ledger.get(lane!.key))!).spareFrom).toBeUndefined();
  expect((await ledger.get(lane!.key))!.revision).toBe(lane!.revision);
  expect((await ledger.transact([lane!.settled])).done).toBe(true);
});

it('makes shorter lanes towards the end of an order, and none where nothing is left', async () => {
  await stock(2 * SHARERS_WHO_MEET);
  // who meets others here leaves most to them
  const losing = losingOnce();
  expect((await lay(1, losing)).map(({ positions }) => positions.length)).toEqual([2]);
  const all = [];
  for (let lanes = await lay(4); lanes.length > 0; lanes = await lay(4)) all.push(...lanes);
  expect(new Set(positionsOf(all)).size).toBe(2 * SHARERS_WHO_MEET - 2);
  const { items } = await ledger.query(orderPartition(ORDER), {
    prefix: RETURNED,
  });
  expect(items).toHaveLength(all.length + 1);
});

it('takes as much of a share with it as positions, and shortens lanes towards its end', async () => {
  await stock(100 * LANE_LENGTH);
  const [sharer, another] = ['one', 'another'].map((maker) => ({ maker, share: 2 * LANE_LENGTH })) as [
    Sharer,
    Sharer,
  ];
  const laid: number[] = [];
  for (let lanes = await lay(1, ledger, sharer); lanes.length > 0; lanes = await lay(1, ledger, sharer)) {
    laid.push(...positionsOf(lanes));
    const share = await ledger.get(ledgerKeys.orderShare(ORDER, sharer.maker));
    expect(shareRecord.from(share!).drawn).toBe(laid.length);
    for (const { key } of lanes)
      expect(returnedRecord.from((await ledger.get(key))!).sharer).toBe(sharer.maker);
  }
  expect(laid).toHaveLength(2 * LANE_LENGTH);
  const [first] = await lay(1, ledger, another);
  expect(laid).not.toContain(first!.positions[0]);
});

it('leaves spare lanes of a share to those of its device manufacturer', async () => {
  await stock(100 * SHARERS_WHO_MEET * LANE_LENGTH);
  const sharer = { maker: 'one', share: 50 * SHARERS_WHO_MEET * LANE_LENGTH };
  const spareOf = async () => {
    const { items } = await ledger.query(orderPartition(ORDER), { prefix: RETURNED });
    return items.filter((item) => returnedRecord.from(item).spareFrom !== undefined).map(({ sort }) => sort);
  };
  await lay(1, losingOnce(), sharer);
  const [spare] = await spareOf();
  await lay(1);
  expect(await spareOf()).toEqual([spare]);
  const [taken] = await lay(1, ledger, sharer);
  expect([taken!.key.sort, await spareOf()]).toEqual([spare, []]);
  expect(returnedRecord.from((await ledger.get(taken!.key))!).sharer).toBe('one');
});
