import { integer, object, optional, text } from '../../check.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  party: optional(text(128)),
});

/** Ops.listIngests: batches of eUICC data, the newest first. */
export const listIngests = viewerFunction('ops.listIngests', body, ({ inventory }, input) =>
  inventory.listIngests(input),
);
