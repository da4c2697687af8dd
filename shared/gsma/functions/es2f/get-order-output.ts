import { integer, object, required } from '../../check.ts';
import { orderId } from '../../fields.ts';
import type { FunctionBinding } from '../../function-binding.ts';

const body = object({ orderId: required(orderId), pack: required(integer(0, 10_000_000)) });

/** ES2f.getOrderOutput: the rows for the Operator's HSS of one pack, readable with the order's output key alone. */
export const getOrderOutput: FunctionBinding<ReturnType<typeof body>> = {
  name: 'getOrderOutput',
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { packs, jwe } = await services.orders.getOrderOutput(caller, input);
    return { members: { packs, jwe } };
  },
};
