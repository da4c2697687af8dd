/*
 * What the wrapping key authenticates with each data key that it wraps: one that was wrapped for another place does
 * not open.
 */

/** Of the data key of an order's template. */
export const templateContext = (orderId: string) => ({ order: orderId, purpose: 'template' });

/** The keys of callbacks: what signs them, and what TLS shows. */
export type CallbackKeyName = 'signing' | 'client';

/** Of the data key of a key for callbacks. */
export const callbackKeyContext = (name: CallbackKeyName) => ({ purpose: `callback-${name}` });

/** Of a pack's data key. */
export const packContext = (orderId: string, pack: number) => ({
  order: orderId,
  pack: String(pack),
});
