import { object, required } from '../../check.ts';
import { iccid, orderId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({ orderId: required(orderId), iccid: required(iccid) });

/** ES2f.releaseProfile: a profile that no eUICC was ever bound to leaves its order, and its ICCID is free again. */
export const releaseProfile = partyFunction({
  path: 'es2f.releaseProfile',
  role: 'operator',
  reaches: ['order'],
  needs: { ppks: true },
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    await services.orders.releaseProfile(caller, input);
    return { members: {} };
  },
});
