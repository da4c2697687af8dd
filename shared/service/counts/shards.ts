/**
 * Counts stand in several items side by side, so that those who write at once do not meet at one: their sum is the count.
 * A process takes them in turn and begins anywhere, so that its own writes do not meet either.
 */
export const SHARDS = 8;

let next = Math.floor(Math.random() * SHARDS);

export const nextShard = (): number => {
  next = (next + 1) % SHARDS;
  return next;
};
