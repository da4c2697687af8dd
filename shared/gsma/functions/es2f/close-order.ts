import { object, required } from '../../check.ts';
import { orderId } from '../../fields.ts';
import type { FunctionBinding } from '../../function-binding.ts';

const body = object({ orderId: required(orderId) });

/** ES2f.closeOrder: the Operator needs no more of it; what is not bound is closed, results still come in. */
export const closeOrder: FunctionBinding<ReturnType<typeof body>> = {
  name: 'closeOrder',
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { closed } = await services.orders.closeOrder(caller, input);
    return { members: { closed } };
  },
};
