import { object, required } from '../../check.ts';
import { iccid, orderId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({ orderId: required(orderId), iccid: required(iccid) });

/** ES2f.replaceProfile: another profile of the order for the eUICC that this one has failed. */
export const replaceProfile = partyFunction({
  path: 'es2f.replaceProfile',
  role: 'operator',
  reaches: ['order'],
  needs: { vault: 'write', ppks: true, keys: ['wrapping'] },
  wholeCore: true,
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { iccid, eid } = await services.orders.replaceProfile(caller, input);
    return { members: { iccid, eid } };
  },
});
