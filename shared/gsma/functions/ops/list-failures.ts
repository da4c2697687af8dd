import { integer, object, optional, text } from '../../check.ts';
import { failureFilter } from '../common/failure-filter.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  ...failureFilter,
});

/** Ops.listFailures: what failed and why, the newest first. */
export const listFailures = viewerFunction('ops.listFailures', body, ({ inventory }, input) =>
  inventory.listFailures(input),
);
