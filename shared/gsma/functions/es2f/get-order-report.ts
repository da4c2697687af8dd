import { object, optional, required, text } from '../../check.ts';
import { orderId } from '../../fields.ts';
import type { FunctionBinding } from '../../function-binding.ts';

const body = object({ orderId: required(orderId), cursor: optional(text(1024)) });

/** ES2f.getOrderReport: the states of an order's profiles, signed by the delivery key, part by part. */
export const getOrderReport: FunctionBinding<ReturnType<typeof body>> = {
  name: 'getOrderReport',
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { report, cursor } = await services.orders.getOrderReport(caller, input);
    return { members: { report, cursor } };
  },
};
