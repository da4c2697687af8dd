import { object, required } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { viewerFunction } from '../common/viewer-function.ts';

const body = object({
  orderId: required(orderId),
});

/** Ops.getOrder: one order with its counts, and what each day changed. */
export const getOrder = viewerFunction('ops.getOrder', body, ({ inventory }, input) =>
  inventory.getOrder(input),
);
