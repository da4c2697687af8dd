import { object, optional, required, text } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({ orderId: required(orderId), cursor: optional(text(1024)) });

/** ES2f.getOrderReport: the states of an order's profiles, signed by the delivery key, part by part. */
export const getOrderReport = partyFunction({
  path: 'es2f.getOrderReport',
  role: 'operator',
  reaches: ['order'],
  needs: { keys: ['delivery', 'longTerm'] },
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { report, longTermSignature, cursor } = await services.orders.getOrderReport(caller, input);
    return { members: { report, longTermSignature, cursor } };
  },
});
