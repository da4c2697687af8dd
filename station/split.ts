import type { BppBatch } from '../sim/index.ts';

/**
 * The batch cut into one for each station, in its own order: all packages of an eUICC go to one station, and the shares differ
 * by one device at most. What was refused goes to none.
 */
export function splitInto(batch: BppBatch, stations: number): BppBatch[] {
  const eids = [...new Set(boundItems(batch).map(({ eid }) => eid))];
  const shareOf = new Map(eids.map((eid, index) => [eid, Math.floor((index * stations) / eids.length)]));
  return Array.from({ length: stations }, (_, station) =>
    shareOfBatch(batch, (eid) => shareOf.get(eid) === station),
  );
}

/** The part of the batch for these eUICCs; the chains stay as they are, since items name them by number. */
export function shareOfBatch(batch: BppBatch, has: (eid: string) => boolean): BppBatch {
  return { ...batch, items: boundItems(batch).filter(({ eid }) => has(eid)) };
}

const boundItems = ({ items }: BppBatch) => items.filter(({ bound }) => bound !== undefined);
