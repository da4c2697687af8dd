import { integer, object, optional, text } from '../../check.ts';
import { instant } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  since: optional(instant),
  until: optional(instant),
  party: optional(text(128)),
  function: optional(text(128)),
});

/** Ops.listCalls: who called what, the newest first. */
export const listCalls = viewerFunction('ops.listCalls', body, ({ inventory }, input) =>
  inventory.listCalls(input),
);
