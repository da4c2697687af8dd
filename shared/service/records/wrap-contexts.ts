/*
 * What the wrapping key authenticates with each data key that it wraps: one that was wrapped for another place does
 * not open.
 */

/** Of the data key of an order's template. */
export const templateContext = (orderId: string) => ({ order: orderId, purpose: 'template' });

/** Of a pack's data key. */
export const packContext = (orderId: string, pack: number) => ({
  order: orderId,
  pack: String(pack),
});
