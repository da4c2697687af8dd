import { ORDER_STATES } from '../../../service/api/es2f.ts';
import { integer, object, oneOf, optional, text } from '../../check.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1_000)),
  operator: optional(text(128)),
  state: optional(oneOf(...ORDER_STATES)),
});

/** Ops.listOrders: orders, the newest first. */
export const listOrders = viewerFunction('ops.listOrders', body, ({ inventory }, input) =>
  inventory.listOrders(input),
);
