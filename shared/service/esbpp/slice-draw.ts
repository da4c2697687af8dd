import { untilDone } from '../../concurrency.ts';
import { invariant } from '../../errors.ts';
import { decodeRequestItems } from '../../ifpp-draft1/bpp-request.ts';
import { changedTooFast } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
import { ownMember } from '../../own-member.ts';
import type { Context } from '../context.ts';
import { readCheckedAll } from '../life/checked-reads.ts';
import { type JobRecord, type RequestSlice, requestSlice } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type OrderRecord, orderRecord, orderStateRecord } from '../records/order.ts';
import { type Chosen, eidsWithKept, NONE, planDraw, toRuns } from '../supply/supply.ts';
import { wishesOf } from './wishes.ts';

/**
 * What a slice draws for: items that name their ICCID or whose eUICC has a replacement kept, which must not find their positions
 * taken by others of the request; and then all others.
 */
type Draws = Exclude<RequestSlice['drawn'], 'none'>;

export const lacksDraw = ({ drawn }: RequestSlice, what: Draws): boolean => drawn !== 'all' && drawn !== what;

/** A large request that was read. */
type ReadRequest = JobRecord & Required<Pick<JobRecord, 'planning' | 'slices' | 'request'>>;

/** Draws for a slice, in one transaction with the supply and on condition that the order is as it was; may be repeated. */
export async function drawSlice(
  context: Context,
  jobId: string,
  job: ReadRequest,
  slice: number,
  what: Draws,
): Promise<void> {
  const { ledger } = context;
  const { orderId } = job;
  const key = ledgerKeys.requestSlice(jobId, slice);
  let items: Promise<Wanted[]> | undefined;
  await untilDone(async () => {
    const [item, order, state] = await ledger.getMany([
      key,
      ledgerKeys.order(orderId),
      ledgerKeys.orderState(orderId),
    ]);
    invariant(item && order && state, `slice ${slice} of job ${jobId} or its order has no record`);
    const plan = requestSlice.from(item);
    if (!lacksDraw(plan, what)) return { value: undefined };
    const place = { job, slice, what, plan, order: orderRecord.from(order) };
    const isOpen = orderStateRecord.from(state).state === 'Open';
    const readItems = () => (items ??= wantedItems(context, job, plan));
    const { runs, writes } = isOpen ? await planSlice(context, place, readItems) : { ...plan, writes: [] };
    const attributes = requestSlice.to({ ...plan, runs, drawn: what });
    const { done } = await ledger.transact(
      [
        { check: state, when: { revision: state.revision } },
        { put: item, attributes, when: { revision: item.revision } },
        ...writes,
      ],
      { contended: true },
    );
    return done ? { value: undefined } : undefined;
  }, changedTooFast);
}

interface Place {
  readonly job: ReadRequest;
  readonly slice: number;
  readonly what: Draws;
  readonly plan: RequestSlice;
  readonly order: OrderRecord;
}

/** The runs of the slice after this draw, and the writes that make it. Its items are read only where it matters what they ask for. */
async function planSlice(
  context: Context,
  { job, slice, what, plan, order }: Place,
  readItems: () => Promise<readonly Wanted[]>,
): Promise<{ readonly runs: RequestSlice['runs']; readonly writes: readonly Write[] }> {
  const { party, orderId, planning, chunkSize, slices } = job;
  const size = slices.ofSlice * chunkSize;
  const first = slice * size;
  const chosen: Chosen = new Float64Array(Math.min(size, job.items - first)).fill(NONE);
  for (const [index, from, count] of plan.runs)
    for (let n = 0; n < count; n++) chosen[index - first + n] = from + n;

  const kept = await eidsWithKept(context, orderId);
  const items = planning.namesIccids === true || kept.size > 0 ? await readItems() : undefined;
  const asks = (i: number) => {
    const item = items?.[i];
    if (what === 'all') return item?.wish === undefined;
    return item !== undefined && (item.wish !== undefined || kept.has(item.eid));
  };
  const drawing = [...chosen.keys()].filter((i) => chosen[i] === NONE && asks(i));
  const draw = await planDraw(
    context,
    orderId,
    drawing.map((i) => items?.[i]?.wish),
    {
      maker: party,
      share: ownMember(order.shares, party),
      eidOf: (n) => items?.[drawing[n]!]?.eid ?? '',
    },
  );
  for (const [n, from, count] of draw.runs)
    for (let i = 0; i < count; i++) chosen[drawing[n + i]!] = from + i;
  return { runs: toRuns(chosen, first), writes: draw.runs.length === 0 ? [] : draw.writes };
}

/** What an item asks for: the position of its ICCID, −1 of one that is not of this order, or any. */
interface Wanted {
  readonly eid: string;
  readonly wish: number | undefined;
}

async function wantedItems(
  context: Context,
  { orderId, request }: ReadRequest,
  { chunkOffsets: offsets, chunkHashes: hashes }: RequestSlice,
): Promise<Wanted[]> {
  const octets = await readCheckedAll(context, request, { offsets, hashes });
  const items = decodeRequestItems(octets, offsets[0] ?? 0);
  const iccids = items.flatMap(({ iccid }, i) => (iccid === undefined ? [] : [[i, iccid] as const]));
  const wishes = await wishesOf(context, orderId, new Map(iccids));
  return items.map(({ eid }, i) => ({ eid, wish: wishes.get(i) }));
}
