import { ifPresent, present } from '../present.ts';
import type { OrderAnswer } from '../service/api/es2f.ts';
import { warningsMember } from '../warnings.ts';
import { itemCodes } from './header.ts';

/** What every answer about an order tells. */
export function orderMembers({ orderId, state, quantity, prepared, iccids, warnings, reason }: OrderAnswer) {
  return {
    orderId,
    state,
    quantity,
    prepared,
    ...present({ iccids }),
    ...warningsMember(warnings),
    ...present({ reason: ifPresent(reason, itemCodes) }),
  };
}
