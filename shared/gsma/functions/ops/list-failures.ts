import { integer, object, oneOf, optional, text } from '../../check.ts';
import { ein, instant, orderId } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  since: optional(instant),
  until: optional(instant),
  kind: optional(oneOf('call', 'item', 'profile', 'reportItem', 'euiccData')),
  code: optional(text(128)),
  party: optional(text(128)),
  ein: optional(ein),
  orderId: optional(orderId),
});

/** Ops.listFailures: what failed and why, the newest first. */
export const listFailures = viewerFunction('ops.listFailures', body, ({ inventory }, input) =>
  inventory.listFailures(input),
);
