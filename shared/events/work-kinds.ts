/**
 * Long work. Of an order `rows` finds out where its rows are, `rowSlices` checks them after that, and then `order` makes its
 * packs; `closing` does what its end leaves to be done. `request` reads and plans a large request before it is a `job`; `manifest` makes the pages of a large job's manifest once `job` has
 * bound it. `frames` reads a batch of eUICC data as a whole, `euiccData` verifies its slices after that.
 */
export const WORK_KINDS = [
  'request',
  'job',
  'manifest',
  'order',
  'rows',
  'rowSlices',
  'frames',
  'euiccData',
  'report',
  'closing',
] as const;
export type WorkKind = (typeof WORK_KINDS)[number];
