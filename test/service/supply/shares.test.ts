import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Ledger } from '../../../shared/ledger/ledger.ts';
import { openLedger } from '../../../shared/ledger/open.ts';
import type { Context } from '../../../shared/service/context.ts';
import { closeLane } from '../../../shared/service/esbpp/just-in-time/lane-closing.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { objectNames } from '../../../shared/service/records/object-names.ts';
import { returnedOfShare, returnedRecord, supplyRecord } from '../../../shared/service/records/order.ts';
import { type Lane, nextOf, takeWrite } from '../../../shared/service/supply/lane.ts';
import { layLanes } from '../../../shared/service/supply/lane-laying.ts';
import { type Draw, planDraw, planRemoval } from '../../../shared/service/supply/supply.ts';
import type { Vault } from '../../../shared/vault/vault.ts';
import { effort } from '../../support/effort.ts';
import { shareOf } from '../scenario.ts';

const SIZE = 40;
const SHARES: Readonly<Record<string, number | undefined>> = { one: 12, another: 30, unbounded: undefined };
const MAKERS = Object.keys(SHARES);
const maker = fc.constantFrom(...MAKERS);

/** Of those that there are at that moment. */
const lane = fc.nat(9);
/** What is laid in lanes lies at the beginning. */
const position = fc.oneof(fc.nat(SIZE - 1), fc.nat(SIZE / 4));

const step = fc.oneof(
  fc.record({ kind: fc.constant('lay' as const), maker }),
  fc.record({ kind: fc.constant('bind' as const), lane }),
  fc.record({ kind: fc.constant('close' as const), lane }),
  fc.record({
    kind: fc.constant('draw' as const),
    maker,
    wishes: fc.array(fc.option(position, { nil: undefined }), { minLength: 1, maxLength: 8 }),
    /** Which of the drawn items a commit then refuses. */
    refused: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  }),
  fc.record({ kind: fc.constant('remove' as const), position }),
);

/** An order of whose profiles three device manufacturers draw, by themselves and through lanes. */
class SharedOrder {
  readonly #ledger: Ledger;
  readonly #orderId: string;
  /** As their processes know them, be it that somebody else has changed them. */
  readonly lanes: Lane[] = [];
  /** By position: who has it for good. */
  readonly gone = new Map<number, string>();
  #named = 0;

  constructor(ledger: Ledger, orderId: string) {
    this.#ledger = ledger;
    this.#orderId = orderId;
  }

  #name = () => String(this.#named++).padStart(24, '0');

  async lay(maker: string): Promise<void> {
    const layout = { orderId: this.#orderId, packSize: SIZE, sharer: { maker, share: SHARES[maker] } };
    this.lanes.push(...(await layLanes({ ledger: this.#ledger, now: () => 1_000 }, layout, 1)));
  }

  /** Whether the transaction of who has this lane still holds. */
  async bind(at: number): Promise<void> {
    const lane = this.lanes[at % this.lanes.length];
    const position = lane && nextOf(lane);
    if (lane === undefined || position === undefined) return;
    const { done } = await this.#ledger.transact([takeWrite(lane, position, this.#name())]);
    if (!done) {
      this.lanes.splice(this.lanes.indexOf(lane), 1);
      return;
    }
    this.#take(position, lane.sharer.maker);
    const positions = lane.positions.filter((one) => one !== position);
    this.lanes[this.lanes.indexOf(lane)] = {
      ...lane,
      positions,
      revision: lane.revision + 1,
      bound: lane.bound + 1,
    };
  }

  /** What the reaper does; the process still believes that it has its lane. */
  async close(at: number): Promise<void> {
    const lane = this.lanes[at % this.lanes.length];
    if (lane === undefined) return;
    const vault = { remove: async () => undefined } as Partial<Vault> as Vault;
    const context = { ledger: this.#ledger, now: () => 1_000, vault } as Context;
    const objects = [objectNames.lanePart(this.#orderId, lane.id, lane.positions[0] ?? 0)];
    await closeLane(context, { kind: 'lane', ppks: [], objects, holder: lane.key, claimed: true });
  }

  async draw(maker: string, wishes: readonly (number | undefined)[], refused: readonly boolean[]) {
    const share = SHARES[maker];
    const before = await this.freeOf(maker);
    const draw = await this.#transact(
      await planDraw({ ledger: this.#ledger }, this.#orderId, wishes, {
        maker,
        share,
        eidOf: () => '',
      }),
    );
    for (const position of draw.values()) this.#take(position, maker);
    if (wishes.every((wish) => wish === undefined)) expect(draw.size).toBe(Math.min(wishes.length, before));
    const back = [...draw].filter(([index]) => refused[index]).map(([, position]) => position);
    if (back.length === 0) return;
    for (const position of back) this.gone.delete(position);
    const job = this.#name();
    await this.#ledger.transact([
      {
        put: ledgerKeys.orderReturned(this.#orderId, job, 0),
        attributes: returnedRecord.to({ positions: back }),
        when: 'absent',
      },
      ...(share === undefined
        ? []
        : [
            {
              put: ledgerKeys.shareReturned(this.#orderId, maker, job, 0),
              attributes: returnedOfShare.to({ count: back.length }),
              when: 'absent' as const,
            },
          ]),
    ]);
  }

  async remove(position: number): Promise<void> {
    const writes = await planRemoval({ ledger: this.#ledger } as Context, this.#orderId, position);
    expect(writes !== undefined).toBe(!this.gone.has(position));
    if (writes === undefined) return;
    expect((await this.#ledger.transact(writes)).done).toBe(true);
    this.#take(position, 'nobody');
  }

  /** How many profiles the device manufacturer may still draw. */
  async freeOf(maker: string): Promise<number> {
    const share = SHARES[maker];
    const free = SIZE - this.gone.size;
    return share === undefined ? free : Math.min(free, share - this.#held(maker));
  }

  #held = (maker: string) => [...this.gone.values()].filter((one) => one === maker).length;

  async expectCounted(): Promise<void> {
    for (const maker of MAKERS) {
      const share = SHARES[maker];
      const { drawn, returned, inLanes } = await shareOf(this.#ledger, this.#orderId, maker);
      expect(drawn - returned).toBe(share === undefined ? 0 : this.#held(maker) + inLanes);
      if (share !== undefined) expect(drawn).toBeLessThanOrEqual(share);
    }
  }

  async #transact({ runs, writes }: Draw): Promise<Map<number, number>> {
    expect((await this.#ledger.transact(writes)).done).toBe(true);
    return new Map(
      runs.flatMap(([index, from, count]) => Array.from({ length: count }, (_, i) => [index + i, from + i])),
    );
  }

  #take(position: number, by: string): void {
    expect(this.gone.has(position), `position ${position} was not free`).toBe(false);
    this.gone.set(position, by);
  }
}

async function stocked(ledger: Ledger, orderId: string): Promise<SharedOrder> {
  await ledger.write({
    put: ledgerKeys.orderSupply(orderId),
    attributes: supplyRecord.to({ next: 0, end: SIZE, taken: [] }),
    when: 'absent',
  });
  return new SharedOrder(ledger, orderId);
}

it('what it names in a lane of its own share is counted once, and given back by whoever else takes it', async () => {
  const ledger = await openLedger('sqlite::memory:');
  const order = await stocked(ledger, 'NAMED');
  await order.lay('one');
  await order.draw('one', [0], []);
  await order.expectCounted();
  await order.draw('unbounded', [1], []);
  await order.draw('another', [2], []);
  await order.expectCounted();
  await ledger.close();
});

it('a device manufacturer draws its share and no more, whatever lies in whose lanes, and nothing is lost (I2)', async () => {
  const ledger = await openLedger('sqlite::memory:');
  let orders = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const orderId = `ORD-${orders++}`;
      const order = await stocked(ledger, orderId);
      for (const one of steps) {
        if (one.kind === 'lay') await order.lay(one.maker);
        else if (one.kind === 'bind') await order.bind(one.lane);
        else if (one.kind === 'close') await order.close(one.lane);
        else if (one.kind === 'remove') await order.remove(one.position);
        else await order.draw(one.maker, one.wishes, one.refused);
        await order.expectCounted();
      }
      // all that is left can be drawn: by those with a share what they have left of it, by the other the rest
      for (const maker of MAKERS) {
        await order.draw(maker, Array.from({ length: SIZE }), []);
        await order.expectCounted();
      }
      expect(order.gone.size).toBe(SIZE);
    }),
    { numRuns: effort({ short: 25, long: 1_000 }) },
  );
  await ledger.close();
});
