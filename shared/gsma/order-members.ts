import type { OrderAnswer } from '../service/services.ts';

/** What every answer about an order tells. */
export function orderMembers({ orderId, state, quantity, prepared, iccids }: OrderAnswer) {
  return { orderId, state, quantity, prepared, ...(iccids === undefined ? {} : { iccids }) };
}
