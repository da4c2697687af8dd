import { object, required } from '../../check.ts';
import { iccid, orderId } from '../../fields.ts';
import type { FunctionBinding } from '../../function-binding.ts';

const body = object({ orderId: required(orderId), iccid: required(iccid) });

/** ES2f.replaceProfile: another profile of the order for the eUICC that this one has failed. */
export const replaceProfile: FunctionBinding<ReturnType<typeof body>> = {
  name: 'replaceProfile',
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    const { iccid, eid } = await services.orders.replaceProfile(caller, input);
    return { members: { iccid, eid } };
  },
};
