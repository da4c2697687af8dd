import { refuse } from '../../../errors.ts';
import { object, oneOf, optional, required } from '../../check.ts';
import { iccid, orderId } from '../../fields.ts';
import { itemCodes } from '../../header.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({
  orderId: required(orderId),
  iccid: optional(iccid),
  finalProfileStatusIndicator: required(oneOf('Available', 'Unavailable')),
});

/**
 * ES2f.cancelOrder: the whole order, or one profile of it. As in ES2+ the Operator says what becomes of the
 * profiles. `Available` is refused with 1.6/3.1: a profile is personalised for its order, so there is no stock that
 * it could go back to.
 */
export const cancelOrder = partyFunction({
  path: 'es2f.cancelOrder',
  role: 'operator',
  reaches: ['order'],
  needs: { vault: 'write', ppks: true, dispatcher: true, notifier: true },
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, { finalProfileStatusIndicator, ...input }) {
    if (finalProfileStatusIndicator === 'Available') {
      refuse('functionUnsupported', 'cancelled profiles become Unavailable');
    }
    const { cancelled, refused } = await services.orders.cancelOrder(caller, input);
    return {
      members: { cancelled, refused: refused.map((item) => ({ iccid: item.iccid, ...itemCodes(item) })) },
      warning: refused.length > 0,
    };
  },
});
