import { object, required } from '../../check.ts';
import { iccid, orderId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';

const body = object({
  orderId: required(orderId),
  iccid: required(iccid),
});

/** Ops.replaceProfile: As es2f.replaceProfile, for an order of any Operator. */
export const replaceProfile = partyFunction({
  path: 'ops.replaceProfile',
  role: 'administrator',
  reaches: [],
  needs: { vault: 'write', ppks: true, keys: ['wrapping'] },
  wholeCore: true,
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { iccid, eid } = await services.operations.replaceProfile(caller, input);
    return { members: { iccid, eid } };
  },
});
