import { integer, object, oneOf, optional, required, text } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  state: required(oneOf('waiting', 'parked')),
  orderId: optional(orderId),
});

/** Ops.listCallbacks: callbacks that were not taken yet, by order. */
export const listCallbacks = viewerFunction('ops.listCallbacks', body, ({ inventory }, input) =>
  inventory.listCallbacks(input),
);
