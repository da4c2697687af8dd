import type { LogRecord } from '../../events/log-events.ts';
import { present } from '../../present.ts';
import type { Context } from '../context.ts';

type Ended = LogRecord<'work.ended'>;

/** What the end of work is told by: whose it was, what came of it, and since when it went on, in milliseconds since 1970. */
export type End = Pick<
  Ended,
  'kind' | 'id' | 'party' | 'orderId' | 'requestId' | 'batchId' | 'reportId' | 'done' | 'refused' | 'code'
> & { readonly since: number };

/**
 * The line of the log when a request, an order, a batch of eUICC data or a report comes to its end, with what most of its
 * refused items were refused for. Written after the write that ends it, by whoever made that one.
 */
export function tellEnd({ log, now }: Pick<Context, 'log' | 'now'>, { since, code, ...end }: End): void {
  const { done, refused } = end;
  log({
    event: 'work.ended',
    ...end,
    ...present({ code }),
    outcome: refused === 0 ? 'done' : done === 0 ? 'refused' : 'partly',
    durationMs: Math.max(0, Math.round(now() - since)),
  });
}

/** The word that occurs most; the first of several. */
export function commonest<T extends string>(words: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return highest([...counts]);
}

/** The word with the highest count; the first of several. */
export const highest = <T extends string>(counts: readonly (readonly [T, number])[]): T | undefined =>
  counts.toSorted(([, a], [, b]) => b - a)[0]?.[0];
