import type { ItemKey, Ledger, Write } from '../../ledger/ledger.ts';
import { laneCountWrites } from '../counts/lane-counts.ts';
import { returnedRecord } from '../records/order.ts';
import type { Sharer } from './shares.ts';

/**
 * Positions laid out for one process, so that those who bind just in time do not meet at the supply of their order. A
 * lane is a list of returned positions (supply/returned.ts) under a name of its own: what is in it is in the supply, and
 * whoever finds nothing else takes it from there. Its process takes a position by writing the list without it, in the
 * transaction that binds it; a call has a lane to itself, so that calls of one process do not meet either.
 *
 * A lane of a device manufacturer with a share takes as many of its share with it as positions, when it is laid: what is bound
 * through it writes no count of the share. What leaves it otherwise is given back to the share, or was drawn by the
 * manufacturer itself, which finds it there when nothing else is left of its share.
 *
 * A lane comes with a trace (life/attempts.ts) of the parts that are bound through it. Its reaper takes the lane away
 * first, after which no transaction through it holds, and looks at the parts then (esbpp/just-in-time/lane-closing.ts).
 */
export interface Lane {
  readonly orderId: string;
  readonly id: string;
  /** Of its order. */
  readonly packSize: number;
  /** Whose calls are served through it. */
  readonly sharer: Sharer;
  readonly key: ItemKey;
  /** What the list has now, and at which revision. */
  readonly positions: readonly number[];
  readonly revision: number;
  /** Profiles that were bound through it. */
  readonly bound: number;
  /** Positions with which an attempt was lost: the name of their part is used up. */
  readonly tried: ReadonlySet<number>;
  readonly settled: Write;
}

/** The position that an attempt may take; undefined where the lane has none left for this process. */
export const nextOf = ({ positions, tried }: Lane): number | undefined =>
  positions.find((position) => !tried.has(position));

/** Takes a position of the lane for good, for this job; belongs into the transaction that binds it. */
export function takeWrite(
  { key, positions, bound, revision, sharer }: Lane,
  position: number,
  jobId: string,
): Write {
  const left = positions.filter((one) => one !== position);
  const lane = { bound: bound + 1, last: jobId };
  const attributes = returnedRecord.to({ positions: left, lane, ...countedFor(sharer) });
  return { put: key, attributes, when: { revision } };
}

/** Of the record of a lane: whose share its positions are counted in, if any. */
export const countedFor = ({ maker, share }: Sharer): { readonly sharer?: string } =>
  share === undefined ? {} : { sharer: maker };

/**
 * Takes a lane away that is empty now that this position was taken, with its trace, and counts what was bound through it;
 * none of one that is not. Belongs into the transaction of the last one's mark.
 */
export async function endWrites(
  ledger: Pick<Ledger, 'get'>,
  { orderId, key, positions, bound, revision, settled }: Lane,
  position: number,
  atMs: number,
): Promise<Write[]> {
  if (positions.some((one) => one !== position)) return [];
  const counted = { lane: { bound: bound + 1, last: '' } };
  return [
    settled,
    { remove: key, when: { revision: revision + 1 } },
    ...(await laneCountWrites(ledger, orderId, counted, true, atMs)),
  ];
}
