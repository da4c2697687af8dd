import { integer, object, optional, required, text } from '../../check.ts';
import { orderId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';
import { orderMembers } from '../../order-members.ts';

const body = object({
  orderId: required(orderId),
  cursor: optional(text(1024)),
  limit: optional(integer(1, 1000)),
});

/** ES2f.getOrderStatus: counts per state, and the profiles page by page. */
export const getOrderStatus = partyFunction({
  path: 'es2f.getOrderStatus',
  role: 'operator',
  reaches: ['order'],
  needs: {},
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const status = await services.orders.getOrderStatus(caller, input);
    return {
      members: {
        ...orderMembers(status),
        counts: status.counts,
        items: status.items.map(({ iccid, state, eid, detail }) => ({ iccid, state, eid, detail })),
        callbacks: status.callbacks,
        closing: status.closing,
        cursor: status.cursor,
      },
    };
  },
});
