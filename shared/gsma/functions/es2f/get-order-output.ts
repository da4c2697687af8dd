import { integer, object, required } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({ orderId: required(orderId), pack: required(integer(0, 10_000_000)) });

/** ES2f.getOrderOutput: the rows for the Operator's HSS of one pack, readable with the order's output key alone. */
export const getOrderOutput = partyFunction({
  path: 'es2f.getOrderOutput',
  role: 'operator',
  reaches: ['order'],
  needs: { vault: 'read' },
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { packs, jwe } = await services.orders.getOrderOutput(caller, input);
    return { members: { packs, jwe } };
  },
});
