import type { TimeRange } from '../api/ops.ts';
import { dueBy } from '../records/keys.ts';

export const iso = (ms: number) => new Date(ms).toISOString();

/** Sort keys begin with when: the bounds of those within a time; `~` comes after all that follows a `#`. */
export function sortsWithin({ since, until }: TimeRange): { readonly from?: string; readonly to?: string } {
  return {
    ...(since !== undefined && { from: dueBy(Date.parse(since)) }),
    ...(until !== undefined && { to: `${dueBy(Math.max(0, Date.parse(until) - 1))}#~` }),
  };
}

/** The milliseconds that a sort key begins with, and what follows. */
export function splitSort(sort: string): { readonly atMs: number; readonly id: string } {
  const at = sort.indexOf('#');
  return { atMs: Number(sort.slice(0, at)), id: sort.slice(at + 1) };
}
