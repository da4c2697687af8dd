import { object, required } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({ orderId: required(orderId) });

/** ES2f.closeOrder: the Operator needs no more of it; what is not bound is closed, results still come in. */
export const closeOrder = partyFunction({
  path: 'es2f.closeOrder',
  role: 'operator',
  reaches: ['order'],
  needs: { vault: 'write', ppks: true, dispatcher: true, notifier: true },
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { closed } = await services.orders.closeOrder(caller, input);
    return { members: { closed } };
  },
});
