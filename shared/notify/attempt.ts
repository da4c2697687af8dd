import { mapConcurrently } from '../concurrency.ts';
import { messageOf, type OwnText, ownText } from '../events/error-record.ts';
import { changeItem, goes, removeItem, unchanged } from '../ledger/change.ts';
import type { Item, Ledger } from '../ledger/ledger.ts';
import { ledgerKeys } from '../service/records/keys.ts';
import { type NoticeRecord, noticeRecord, parkedNotice } from '../service/records/notice.ts';
import { type Courier, type PreparedCall, RefusedAsWhole } from './notifier.ts';
import { pauseAfter, type Schedule } from './schedule.ts';

export type Outcome =
  /** Taken, or gone before. */
  | { readonly kind: 'taken' }
  | {
      readonly kind: 'delayed';
      readonly attempts: number;
      readonly reason: OwnText;
      /** Milliseconds until the next attempt. */
      readonly waitMs: number;
    }
  | { readonly kind: 'parked'; readonly url: string; readonly reason: OwnText };

const TAKEN: Outcome = { kind: 'taken' };
/** Notices of a call whose records are changed at once. */
const AT_ONCE = 16;

export interface AttemptPort {
  readonly ledger: Ledger;
  readonly courier: Courier;
  readonly now: () => number;
}

/**
 * One attempt at the notices of one call (calls.ts), and what it comes to in the ledger for each of them. A crash between taking
 * and forgetting a notice posts it twice, octet by octet the same: its functionCallIdentifier is how the receiver knows.
 */
export async function attempt(
  { ledger, courier, now }: AttemptPort,
  notices: readonly Item[],
  schedule?: Schedule,
): Promise<readonly Outcome[]> {
  const call = await courier.prepare(notices);
  if (call === undefined) return notices.map(() => TAKEN);
  const { isTaken, ...failure } = await posted(call, notices.length);
  await forget(ledger, notices.filter(isTaken));
  return await mapConcurrently(notices, AT_ONCE, async (notice) =>
    isTaken(notice) ? TAKEN : await failed(ledger, notice, { ...failure, at: now(), schedule }),
  );
}

/** Which notices of a call were taken, why others were not, and how many may go in a call with one of these from now on. */
interface Posted {
  readonly isTaken: (notice: Item) => boolean;
  readonly reason: OwnText;
  readonly together?: number;
}

async function posted(call: PreparedCall, count: number): Promise<Posted> {
  try {
    const refused = await call.post();
    const reason = ownText('the callback server refused it by its name, and took others of the call');
    return { isTaken: ({ sort }) => !refused.has(sort), reason };
  } catch (error) {
    const failure = { isTaken: () => false, reason: messageOf(error) };
    // it may be for one of them: halves find out which, so that it stops no other
    return error instanceof RefusedAsWhole ? { ...failure, together: Math.ceil(count / 2) } : failure;
  }
}

/** In one go, but for those that somebody has changed in the meantime. */
async function forget(ledger: Ledger, notices: readonly Item[]): Promise<void> {
  const [only] = notices;
  // it is changed in any case: it was signed
  if (only !== undefined && notices.length === 1) return await removeItem(ledger, only);
  const outcomes = await ledger.writeMany(
    notices.map((notice) => ({ remove: notice, when: { revision: notice.revision } })),
  );
  const left = notices.filter((_, i) => outcomes[i]?.done !== true);
  await mapConcurrently(left, AT_ONCE, (notice) => removeItem(ledger, notice));
}

interface Failure extends Omit<Posted, 'isTaken'> {
  readonly at: number;
  readonly schedule: Schedule | undefined;
}

/** The sweeper may mark the notice in the meantime: what else it has stays. */
function failed(
  ledger: Ledger,
  { partition, sort }: Item,
  { reason, together, at, schedule }: Failure,
): Promise<Outcome> {
  return changeItem<Outcome>(ledger, { partition, sort }, (item) => {
    if (item === undefined) return unchanged<Outcome>(TAKEN);
    const record = noticeRecord.from(item);
    const attempts = record.attempts + 1;
    const waitMs = pauseAfter(attempts, schedule);
    const next: NoticeRecord = { ...record, ...fewer(record, together), attempts, reason };
    if (waitMs === undefined) {
      const attributes = parkedNotice.to({ ...next, parkedAt: at });
      return goes<Outcome>({ kind: 'parked', url: record.url, reason }, [
        { put: ledgerKeys.parkedNotice(sort), attributes, when: 'absent' },
      ]);
    }
    const attributes = noticeRecord.to({ ...next, dueAt: at + waitMs });
    const value: Outcome = { kind: 'delayed', attempts, reason, waitMs };
    return { kind: 'becomes', attributes, value, alongside: [] };
  });
}

const fewer = ({ batch }: NoticeRecord, together: number | undefined) =>
  batch === undefined || together === undefined ? {} : { batch: Math.min(batch, together) };
