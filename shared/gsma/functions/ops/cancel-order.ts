import { object, optional, required } from '../../check.ts';
import { iccid, orderId } from '../../fields.ts';
import { itemCodes } from '../../header.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({
  orderId: required(orderId),
  iccid: optional(iccid),
});

/** Ops.cancelOrder: As es2f.cancelOrder, for an order of any Operator. */
export const cancelOrder = partyFunction({
  path: 'ops.cancelOrder',
  role: 'administrator',
  reaches: [],
  needs: { vault: 'write', ppks: true, dispatcher: true, notifier: true },
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { cancelled, refused } = await services.operations.cancelOrder(caller, input);
    return {
      members: { cancelled, refused: refused.map((item) => ({ iccid: item.iccid, ...itemCodes(item) })) },
      warning: refused.length > 0,
    };
  },
});
