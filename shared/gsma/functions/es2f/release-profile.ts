import { object, required } from '../../check.ts';
import { iccid, orderId } from '../../fields.ts';
import type { FunctionBinding } from '../../function-binding.ts';

const body = object({ orderId: required(orderId), iccid: required(iccid) });

/** ES2f.releaseProfile: a profile that no eUICC was ever bound to leaves its order, and its ICCID is free again. */
export const releaseProfile: FunctionBinding<ReturnType<typeof body>> = {
  name: 'releaseProfile',
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, input) {
    await services.orders.releaseProfile(caller, input);
    return { members: {} };
  },
};
