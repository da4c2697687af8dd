import { changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { ItemKey, Ledger, Write } from '../../ledger/ledger.ts';
import type { Context } from '../context.ts';
import { orderCountWrites } from '../counts/order-counts.ts';
import { nextShard } from '../counts/shards.ts';
import { chunkProgress, type JobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { Turns } from '../turns.ts';

/** Chunks whose delivery is marked in one transaction. */
const MARKED = 50;

/** Says that the chunks from `first` on went out, up to `end`; may be repeated. */
export async function markDelivered(
  { ledger, now }: Pick<Context, 'ledger' | 'now'>,
  jobId: string,
  { orderId }: Pick<JobRecord, 'orderId'>,
  first: number,
  end: number,
): Promise<void> {
  for (let at = first; at < end; at += MARKED) {
    const keys = Array.from({ length: Math.min(MARKED, end - at) }, (_, i) =>
      ledgerKeys.chunkProgress(jobId, at + i),
    );
    await mark(ledger, orderId, keys, now());
  }
}

/**
 * Those of one process that mark at once, such as for a thousand pages of an answer, would meet at the counts of their order until
 * some had lost every attempt. A ledger is opened by a process for itself, so its turns are the process's.
 */
const turnsOf = new WeakMap<Ledger, Turns>();

/** Marks chunks and counts their profiles, but for those that had a result before. */
async function mark(
  ledger: Ledger,
  orderId: string,
  keys: readonly ItemKey[],
  deliveredAt: number,
): Promise<void> {
  const turns = turnsOf.get(ledger) ?? new Turns();
  turnsOf.set(ledger, turns);
  const shard = nextShard();
  await turns.take(`${orderId} ${shard}`, () => markNow(ledger, orderId, keys, deliveredAt, shard));
}

async function markNow(
  ledger: Ledger,
  orderId: string,
  keys: readonly ItemKey[],
  deliveredAt: number,
  shard: number,
): Promise<void> {
  await changeItems(ledger, async () => {
    const marked: Write[] = [];
    let delivered = 0;
    for (const item of await ledger.getMany(keys)) {
      if (item === undefined) continue;
      const progress = chunkProgress.from(item);
      if (progress.deliveredAt !== undefined) continue;
      delivered += progress.bound - (progress.settled ?? 0);
      const attributes = chunkProgress.to({ ...progress, deliveredAt });
      const { partition, sort, revision } = item;
      marked.push({ put: { partition, sort }, attributes, when: { revision } });
    }
    if (marked.length === 0) return unchanged();
    const changes = { Bound: -delivered, Delivered: delivered };
    return writes([...marked, ...(await orderCountWrites(ledger, orderId, changes, deliveredAt, shard))]);
  });
}
