import type { Bytes } from '../../codec/bytes.ts';
import { Refusal } from '../../errors.ts';
import { asRead, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Item, Write } from '../../ledger/ledger.ts';
import { ifPresent, present } from '../../present.ts';
import type { ProfileState } from '../api/es2f.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { type Failure, failureWrites } from '../counts/failures.ts';
import { orderCountWrites, sum } from '../counts/order-counts.ts';
import { type BoundItem, type ChunkProgress, chunkProgress, type JobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type ProfileRecord, profileRecord } from '../records/profile.ts';
import { noticeWrite } from './notices.ts';
import { nextState, type ProfileEvent } from './profile-state.ts';

/** A committed binding that a result speaks of. */
export interface Transaction {
  readonly id: string;
  readonly jobId: string;
  readonly chunk: number;
  readonly job: JobRecord;
  readonly bound: BoundItem;
  /** Octets of the part that it is in. */
  readonly partSize: number;
}

/** What a result that holds does to its profile. */
export interface Change {
  readonly transaction: Transaction;
  readonly event: ProfileEvent;
  readonly news: {
    readonly result?: Bytes;
    readonly detail?: string;
    readonly fpaCause?: string;
    /** What the eUICC signed of a failure. */
    readonly failure?: { readonly command: string; readonly reason: string };
  };
}

/** A change with what its notice is written with. */
export interface ToldChange extends Change {
  readonly callbackUrl: string | undefined;
  readonly callbackBatch: number | undefined;
  /** OID of this SM-DPf. */
  readonly caller: string;
}

/** Changes of one transaction: each is a state, an audit line, a notice, and maybe the mark of its chunk. */
export const TOGETHER = 20;

/**
 * Moves profiles of one order on, each by its own result, tells the Operator, and counts them, in one transaction: one of
 * several profiles each, since each would otherwise have a count to write. A repeat finds nothing to do. Returns what
 * cannot follow, by its place.
 */
export async function applyResults(
  context: Context,
  changes: readonly ToldChange[],
): Promise<ReadonlyMap<number, Refusal>> {
  const { ledger, now } = context;
  return await changeItems<ReadonlyMap<number, Refusal>>(ledger, async () => {
    const at = now();
    const group = new ResultGroup(at);
    const stored = await ledger.getMany(
      changes.flatMap(({ transaction: { jobId, chunk, job, bound } }) => [
        ledgerKeys.profile(job.orderId, bound.position),
        ledgerKeys.chunkProgress(jobId, chunk),
      ]),
    );
    for (const [i, change] of changes.entries()) group.add(i, change, stored[2 * i], stored[2 * i + 1]);
    const [first] = changes;
    if (group.changes.length === 0 || first === undefined) return unchanged(group.refused);
    const { orderId } = first.transaction.job;
    const counts = await orderCountWrites(ledger, orderId, group.counts, at);
    return writes([...group.changes, ...group.marks(), ...group.failures(first), ...counts], group.refused);
  });
}

/** What becomes of the profiles of one attempt. */
class ResultGroup {
  readonly changes: Write[] = [];
  readonly refused = new Map<number, Refusal>();
  counts: Record<string, number> = {};
  readonly #at: number;
  readonly #failures: Failure[] = [];
  readonly #undelivered = new Map<
    string,
    { readonly of: Transaction; readonly item: Item | undefined; settled: number }
  >();
  /** Names the first change, and by it the record of what failed. */
  #name = '';

  constructor(at: number) {
    this.#at = at;
  }

  add(index: number, change: ToldChange, before: Item | undefined, progress: Item | undefined): void {
    const { transaction, event, news, callbackUrl, callbackBatch: batch, caller } = change;
    const { id, job, bound } = transaction;
    const isDelivered = progress !== undefined && chunkProgress.from(progress).deliveredAt !== undefined;
    const known = ifPresent(before, profileRecord.from);
    const state = known?.state ?? (isDelivered ? 'Delivered' : 'Bound');
    const next = this.#next(index, state, event);
    if (next === undefined || next === state) return;
    const record: ProfileRecord = {
      state: next,
      iccid: bound.iccid,
      eid: bound.eid,
      transactionId: id,
      at: this.#at,
      ...present({ detail: news.detail, before: beforeOf(known) }),
      ...present({ result: ifPresent(news.result, (octets) => Uint8Array.from(octets)) }),
    };
    const name = `${id}-${(before?.revision ?? 0) + 1}`;
    const key = ledgerKeys.profile(job.orderId, bound.position);
    this.#name ||= name;
    this.counts = sum(this.counts, { [state]: -1 }, { [next]: 1 });
    this.changes.push({ put: key, attributes: profileRecord.to(record), when: asRead(before) });
    this.changes.push(auditWrite(auditLine(change), `profile-${name}`, this.#at));
    if (callbackUrl !== undefined)
      this.changes.push(
        noticeWrite({
          id: name,
          url: callbackUrl,
          batch,
          caller,
          orderId: job.orderId,
          record,
          ...present({ fpaCause: news.fpaCause }),
        }),
      );
    const code = news.failure?.reason ?? news.fpaCause;
    if (code !== undefined)
      this.#failures.push({ code, eid: bound.eid, iccid: bound.iccid, ...present({ detail: news.detail }) });
    if (known === undefined && !isDelivered) this.#settle(transaction, progress);
  }

  #next(index: number, state: ProfileState, event: ProfileEvent): ProfileRecord['state'] | undefined {
    try {
      return nextState(state, event);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.refused.set(index, error);
      return undefined;
    }
  }

  /** A chunk that is delivered later counts as delivered what has no result by then. */
  #settle(of: Transaction, item: Item | undefined): void {
    const name = `${of.jobId} ${of.chunk}`;
    const known = this.#undelivered.get(name);
    if (known === undefined) this.#undelivered.set(name, { of, item, settled: 1 });
    else known.settled += 1;
  }

  marks(): Write[] {
    return [...this.#undelivered.values()].map(({ of, item, settled }) => {
      const progress = item === undefined ? unfinished(of) : chunkProgress.from(item);
      return {
        put: ledgerKeys.chunkProgress(of.jobId, of.chunk),
        attributes: chunkProgress.to({ ...progress, settled: (progress.settled ?? 0) + settled }),
        when: asRead(item),
      };
    });
  }

  failures({ transaction: { job } }: ToldChange): Write[] {
    const about = { kind: 'profile', party: job.party, orderId: job.orderId } as const;
    return failureWrites(about, this.#failures, { atMs: this.#at, id: `profile-${this.#name}` });
  }
}

/** Why a profile failed is in its line: what the eUICC signed, or what the report says where nobody signed. */
function auditLine({ transaction: { id, job, bound }, event, news }: Change) {
  const about = { order: job.orderId, iccid: bound.iccid, eid: bound.eid, transaction: id };
  const by = job.party;
  if (event === 'failed')
    return { event: 'profile.failed', by, about: { ...about, ...news.failure } } as const;
  if (event === 'unreported')
    return { event: 'profile.unreported', by, about: { ...about, cause: news.fpaCause } } as const;
  return { event: `profile.${event}`, by, about } as const;
}

/** Of a chunk that was bound just in time and has not come to its end. */
const unfinished = ({ partSize }: Transaction): ChunkProgress => ({
  bound: 1,
  refused: 0,
  size: partSize,
  finished: false,
});

/** The states that it has gone through, that of the record last. */
function beforeOf(known: ProfileRecord | undefined): ProfileRecord['before'] {
  if (known === undefined) return undefined;
  const { state, at, detail, before = [] } = known;
  return [...before, { state, at, ...present({ detail }) }];
}
