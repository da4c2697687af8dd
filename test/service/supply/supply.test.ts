import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../../shared/ledger/ledger.ts';
import { openLedger } from '../../../shared/ledger/open.ts';
import type { Context } from '../../../shared/service/context.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { returnedRecord, supplyRecord } from '../../../shared/service/records/order.ts';
import { type Draw, planDraw, planRemoval } from '../../../shared/service/supply/supply.ts';

let ledger: Ledger;
let context: Context;

beforeEach(async () => {
  ledger = await openLedger('sqlite::memory:');
  // a draw leans on nothing but the ledger
  context = { ledger } as Context;
});

afterEach(() => ledger.close());

const stock = (orderId: string, end: number) =>
  ledger.write({
    put: ledgerKeys.orderSupply(orderId),
    attributes: supplyRecord.to({ next: 0, end, taken: [] }),
    when: 'absent',
  });

const giveBack = (orderId: string, job: number, positions: readonly number[]) =>
  ledger.write({
    put: ledgerKeys.orderReturned(orderId, String(job).padStart(24, '0'), 0),
    attributes: returnedRecord.to({ positions }),
    when: 'absent',
  });

/** The position of each item, by its index. */
const drawnBy = ({ runs }: Draw) =>
  new Map(
    runs.flatMap(([index, from, count]) => Array.from({ length: count }, (_, i) => [index + i, from + i])),
  );

const anyOf = (count: number): undefined[] => Array.from({ length: count });

describe('a draw from the supply of an order', () => {
  it('takes contiguous positions in one run', async () => {
    await stock('A', 10);
    expect((await planDraw(context, 'A', anyOf(4))).runs).toEqual([[0, 0, 4]]);
  });

  it('gives what was returned first, then what was never drawn, and no more than there is', async () => {
    await stock('A', 5);
    expect((await ledger.transact((await planDraw(context, 'A', anyOf(3))).writes)).done).toBe(true);
    await giveBack('A', 1, [1]);
    const draw = await planDraw(context, 'A', anyOf(4));
    expect([...drawnBy(draw)]).toEqual([
      [0, 1],
      [1, 3],
      [2, 4],
    ]);
  });

  it('gives a position that was asked for to that item alone', async () => {
    await stock('A', 3);
    const draw = await planDraw(context, 'A', [undefined, 0, 0, undefined, -1, 3]);
    expect([...drawnBy(draw)]).toEqual([
      [0, 1],
      [1, 0],
      [3, 2],
    ]);
  });

  it('takes effect once: of two planned on the same supply one is done', async () => {
    await stock('A', 3);
    const draws = [await planDraw(context, 'A', anyOf(1)), await planDraw(context, 'A', anyOf(1))];
    const outcomes = [];
    for (const { writes } of draws) outcomes.push((await ledger.transact(writes)).done);
    expect(outcomes).toEqual([true, false]);
  });

  it('finds everything that was returned one by one, in one transaction', async () => {
    await stock('A', 300);
    await ledger.transact((await planDraw(context, 'A', anyOf(300))).writes);
    for (let position = 0; position < 300; position++) await giveBack('A', position, [position]);
    const named = await planDraw(context, 'A', [299]);
    expect([...drawnBy(named).values()]).toEqual([299]);
    const draw = await planDraw(context, 'A', anyOf(301));
    expect([...drawnBy(draw).values()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 300 }, (_, i) => i),
    );
    expect((await ledger.transact(draw.writes)).done).toBe(true);
  });

  it('of an order without supply gets nothing and changes nothing', async () => {
    expect(await planDraw(context, 'none', anyOf(2))).toEqual({ runs: [], writes: [] });
    expect(await planRemoval(context, 'none', 0)).toBeUndefined();
  });
});

const SIZE = 24;
const step = fc.oneof(
  fc.record({
    kind: fc.constant('draw' as const),
    wishes: fc.array(fc.option(fc.integer({ min: -1, max: SIZE }), { nil: undefined }), {
      minLength: 1,
      maxLength: 8,
    }),
    /** Which of the drawn items a commit then refuses. */
    refused: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('remove' as const), position: fc.nat(SIZE - 1) }),
);

it('under any draws, returns and removals each position of an order is in exactly one place (I2)', async () => {
  let orders = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const orderId = `ORD-${orders++}`;
      await stock(orderId, SIZE);
      const free = new Set(Array.from({ length: SIZE }, (_, i) => i));
      const gone = new Set<number>();
      for (const [job, one] of steps.entries()) {
        if (one.kind === 'remove') {
          const writes = await planRemoval(context, orderId, one.position);
          expect(writes !== undefined).toBe(free.has(one.position));
          if (writes === undefined) continue;
          expect((await ledger.transact(writes)).done).toBe(true);
          free.delete(one.position);
          gone.add(one.position);
          continue;
        }
        const before = free.size;
        const draw = await planDraw(context, orderId, one.wishes);
        expect((await ledger.transact(draw.writes)).done).toBe(true);
        const drawn = drawnBy(draw);
        for (const [index, position] of drawn) {
          expect(free.delete(position), `position ${position} was not free`).toBe(true);
          const wish = one.wishes[index];
          if (wish !== undefined) expect(position).toBe(wish);
        }
        const open = one.wishes.filter((wish) => wish === undefined).length;
        const named = [...drawn.keys()].filter((index) => one.wishes[index] !== undefined).length;
        expect(drawn.size - named).toBe(Math.min(open, before - named));
        const back = [...drawn].filter(([index]) => one.refused[index]).map(([, position]) => position);
        if (back.length > 0) await giveBack(orderId, job, back);
        for (const position of back) free.add(position);
        for (const position of drawn.values()) if (!free.has(position)) gone.add(position);
      }
      expect(free.size + gone.size).toBe(SIZE);
      // what is free can all be drawn, and nothing else
      const rest = drawnBy(await planDraw(context, orderId, anyOf(SIZE + 1)));
      expect(new Set(rest.values())).toEqual(free);
    }),
    { numRuns: 150 },
  );
});
