import { randomInt, randomUUID } from 'node:crypto';
import { together, untilDone } from '../../concurrency.ts';
import { changedTooFast } from '../../ledger/change.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { listedWrite } from '../counts/listed.ts';
import { traceOf } from '../life/traces.ts';
import { LANE, ledgerKeys, orderPartition } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { returnedRecord } from '../records/order.ts';
import { countedFor, type Lane } from './lane.ts';
import { type OpenShare, openShare, type Sharer } from './shares.ts';
import { UndrawnPositions } from './undrawn.ts';

/**
 * Lanes are laid out of an order's supply, one ledger item, at which all processes meet that have none: on DynamoDB
 * transactions that overlap there cancel each other. So those of a process who wait are served by one transaction, and
 * who was slower than others lays spare lanes with its own, twice as many each time. A spare lane is taken over by a
 * write of its own item alone, by whoever looks for a lane next: the more meet at the supply, the fewer have to.
 */

/** Positions of a lane: one write of the supply serves so many profiles. */
export const LANE_LENGTH = 24;
/** Near the end of an order, or of a share, a lane has one of so many parts of what is left, so that others find some too. */
const SHARERS = 4;
/** The same where many meet at the supply. */
export const SHARERS_WHO_MEET = 64;
/** Lanes of one transaction, which has four writes for each. */
export const LANES_AT_ONCE = 16;

type Laying = Pick<Context, 'ledger' | 'now'>;

/** What lanes are laid of, and whom for. */
export interface Layout {
  readonly orderId: string;
  /** Of the order. */
  readonly packSize: number;
  readonly sharer: Sharer;
}

/** So many lanes, or fewer, at least one; none where order or share has nothing left that was never drawn. */
export async function layLanes(context: Laying, layout: Layout, wanted: number): Promise<readonly Lane[]> {
  const { ledger } = context;
  const { orderId, sharer } = layout;
  let spare = 0;
  return await untilDone(async () => {
    const [[undrawn, share], spares] = await together(
      together(UndrawnPositions.read(ledger, orderId), openShare(ledger, orderId, sharer)),
      readSpares(ledger, layout),
    );
    const taken = await takeOver(ledger, layout, spares, wanted);
    if (taken.length > 0) return { value: taken };
    const lanes = undrawn && (await lay(context, layout, { undrawn, share }, { wanted, spare }));
    spare = 2 * spare + 1;
    return lanes && { value: lanes };
  }, changedTooFast);
}

/** What is left for lanes. */
interface Left {
  readonly undrawn: UndrawnPositions;
  readonly share: OpenShare;
}

/** Undefined where somebody else was faster. */
async function lay(
  { ledger, now }: Laying,
  layout: Layout,
  { undrawn, share }: Left,
  { wanted, spare }: { readonly wanted: number; readonly spare: number },
): Promise<readonly Lane[] | undefined> {
  const { orderId, sharer } = layout;
  const at = now();
  const lanes: Lane[] = [];
  const writes: Write[] = [];
  let drawn = 0;
  const most = Math.min(LANES_AT_ONCE, wanted + spare);
  while (lanes.length < most) {
    const positions = takeLane(undrawn, share.left - drawn, spare > 0 ? SHARERS_WHO_MEET : SHARERS);
    if (positions.length === 0) break;
    drawn += positions.length;
    const isSpare = lanes.length >= wanted;
    const id = randomUUID();
    const lane = laneOf(layout, id, positions, at);
    lanes.push(lane);
    writes.push(
      {
        put: lane.key,
        attributes: returnedRecord.to({
          positions,
          ...(isSpare && { spareFrom: at }),
          ...countedFor(sharer),
        }),
        when: 'absent',
      },
      traceOfLane(orderId, id, positions, at).entered,
      // the jobs that will be bound through it are listed by it
      listedWrite('job', at, `lane-${id}`, { name: orderId, positions }),
    );
  }
  if (lanes.length === 0) return [];
  const { done } = await ledger.transact([undrawn.write(), ...share.writes(drawn), ...writes], {
    contended: true,
  });
  return done ? lanes.slice(0, wanted) : undefined;
}

function takeLane(undrawn: UndrawnPositions, ofShare: number, sharers: number): readonly number[] {
  const length = Math.min(LANE_LENGTH, Math.ceil(Math.min(undrawn.left, ofShare) / sharers));
  return Array.from({ length }, () => undrawn.takeNext()).filter((position) => position !== undefined);
}

async function readSpares(ledger: Ledger, { orderId, sharer }: Layout): Promise<Item[]> {
  const lanes = await scanAll(ledger, orderPartition(orderId), { prefix: LANE });
  return lanes.filter((item) => {
    const record = returnedRecord.from(item);
    return record.spareFrom !== undefined && record.sharer === countedFor(sharer).sharer;
  });
}

/** So many of the spare lanes at most, at random: others do the same. */
async function takeOver(ledger: Ledger, layout: Layout, spares: Item[], wanted: number): Promise<Lane[]> {
  const chosen: Item[] = [];
  while (spares.length > 0 && chosen.length < wanted)
    chosen.push(...spares.splice(randomInt(spares.length), 1));
  const outcomes = await ledger.writeMany(
    chosen.map((item) => {
      const { positions } = returnedRecord.from(item);
      return {
        put: item,
        attributes: returnedRecord.to({ positions, ...countedFor(layout.sharer) }),
        when: { revision: item.revision },
      };
    }),
  );
  return chosen.flatMap((item, i) => {
    const outcome = outcomes[i]!;
    const { positions, spareFrom } = returnedRecord.from(item);
    if (!outcome.done || spareFrom === undefined || positions.length === 0) return [];
    const id = item.sort.slice(LANE.length);
    return [{ ...laneOf(layout, id, positions, spareFrom), revision: outcome.revision }];
  });
}

/** One that was laid out at this moment, in milliseconds, and not used yet. */
function laneOf(layout: Layout, id: string, positions: readonly number[], laidAt: number): Lane {
  const { orderId, packSize, sharer } = layout;
  const { settled } = traceOfLane(orderId, id, positions, laidAt);
  const key = ledgerKeys.orderLane(orderId, id);
  const fresh = { revision: 1, bound: 0, tried: new Set<number>() };
  return { orderId, packSize, sharer, id, key, positions, ...fresh, settled };
}

const traceOfLane = (orderId: string, id: string, positions: readonly number[], laidAt: number) => {
  const objects = positions.map((position) => objectNames.lanePart(orderId, id, position));
  return traceOf('lane', id, { objects, holder: ledgerKeys.orderLane(orderId, id) }, laidAt);
};
