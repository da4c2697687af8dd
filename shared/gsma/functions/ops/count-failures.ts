import { object, oneOf, optional, text } from '../../check.ts';
import { ein, instant, orderId } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  since: optional(instant),
  until: optional(instant),
  kind: optional(oneOf('call', 'item', 'profile', 'reportItem', 'euiccData')),
  code: optional(text(128)),
  party: optional(text(128)),
  ein: optional(ein),
  orderId: optional(orderId),
});

/** Ops.countFailures: how often what failed, the most frequent first. */
export const countFailures = viewerFunction('ops.countFailures', body, ({ inventory }, input) =>
  inventory.countFailures(input),
);
