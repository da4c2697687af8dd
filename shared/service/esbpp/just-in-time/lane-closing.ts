import { Fault } from '../../../errors.ts';
import { changeItem, goes, unchanged } from '../../../ledger/change.ts';
import type { ItemKey } from '../../../ledger/ledger.ts';
import { scanAllSpread } from '../../../ledger/scan.ts';
import { present } from '../../../present.ts';
import type { Context } from '../../context.ts';
import { laneCountWrites, lastInTime } from '../../counts/lane-counts.ts';
import { type ChunkRecord, chunkRecord, jobRecord } from '../../records/job.ts';
import { blockOf, drawStripes, LANE, ledgerKeys, padded } from '../../records/keys.ts';
import { parseLanePart } from '../../records/object-names.ts';
import { drawRecord, returnedRecord } from '../../records/order.ts';
import type { TraceRecord } from '../../records/trace.ts';
import { giveBackToShare } from '../../supply/shares.ts';
import type { JobChunk } from '../chunk-items.ts';
import { finishChunk } from '../commit.ts';

/**
 * Ends a lane (supply/lane.ts) whose process has gone, or has left something behind; may be repeated. What is left of it
 * is given back first, and no transaction through it holds any more. Then each of its parts counts or not for good: one
 * that a commit names is brought to its end, the others are destroyed. Last it goes, and what it has counted is its order's.
 */
export async function closeLane(context: Context, { holder, objects }: TraceRecord): Promise<void> {
  const { vault } = context;
  const orderId = parseLanePart(objects[0] ?? '')?.orderId;
  if (orderId !== undefined) await giveBack(context, orderId, holder);
  for (const name of objects) {
    const commit = await commitOfPart(context, name);
    if (commit === undefined) await vault.remove(name);
    else await finishChunk(context, commit.place, commit.record);
  }
  if (orderId !== undefined) await countLane(context, orderId, holder);
}

async function giveBack({ ledger }: Context, orderId: string, holder: ItemKey): Promise<void> {
  const item = await ledger.get(holder);
  if (item === undefined) return;
  const { positions, lane, sharer } = returnedRecord.from(item);
  const id = holder.sort.slice(LANE.length);
  if (positions.length === 0) return;
  const { done } = await ledger.transact([
    lane === undefined
      ? { remove: holder, when: { revision: item.revision } }
      : {
          put: holder,
          attributes: returnedRecord.to({ positions: [], lane, ...present({ sharer }) }),
          when: { revision: item.revision },
        },
    {
      put: ledgerKeys.orderReturnedOfLane(orderId, id),
      attributes: returnedRecord.to({ positions }),
      when: 'absent',
    },
    ...(sharer === undefined ? [] : [giveBackToShare(orderId, sharer, id, positions.length)]),
  ]);
  if (!done) throw new Fault('ledger', 'the lane is in use at this moment', { retryable: true });
}

async function countLane({ ledger, now }: Context, orderId: string, holder: ItemKey): Promise<void> {
  await changeItem(ledger, holder, async (item) => {
    if (item === undefined) return unchanged();
    const record = returnedRecord.from(item);
    const inTime = await lastInTime(ledger, record);
    return goes(undefined, await laneCountWrites(ledger, orderId, record, inTime, now()));
  });
}

/** The commit that names a part of a lane. */
export async function commitOfPart(
  { ledger }: Pick<Context, 'ledger'>,
  name: string,
): Promise<{ readonly place: JobChunk; readonly record: ChunkRecord } | undefined> {
  const { orderId, position } = parseLanePart(name) ?? {};
  if (orderId === undefined || position === undefined) return undefined;
  const prefix = `${padded(position)}#`;
  for (const draw of await scanAllSpread(ledger, drawStripes(orderId, blockOf(position)), { prefix })) {
    const { jobId } = drawRecord.from(draw);
    const [job, chunk] = await ledger.getMany([ledgerKeys.job(jobId), ledgerKeys.chunk(jobId, 0)]);
    if (job === undefined || chunk === undefined) continue;
    const record = chunkRecord.from(chunk);
    if (record.part.name === name) return { place: { jobId, job: jobRecord.from(job), chunk: 0 }, record };
  }
  return undefined;
}
