import { object, required } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({
  orderId: required(orderId),
});

/** Ops.closeOrder: As es2f.closeOrder, for an order of any Operator. */
export const closeOrder = partyFunction({
  path: 'ops.closeOrder',
  role: 'administrator',
  reaches: [],
  needs: { vault: 'write', ppks: true, dispatcher: true, notifier: true },
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { closed } = await services.operations.closeOrder(caller, input);
    return { members: { closed } };
  },
});
