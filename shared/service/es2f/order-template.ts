import type { Bytes } from '../../codec/bytes.ts';
import type { Context } from '../context.ts';
import { type SealedPlace, unseal } from '../keys/sealed.ts';
import { readWhole } from '../life/checked-reads.ts';
import type { OrderRecord } from '../records/order.ts';
import { templateContext } from '../records/wrap-contexts.ts';
import { metadataByIccid } from './order-metadata.ts';
import { compilePersonaliser, type Personaliser } from './personalisation.ts';

/** Where an order's template lies sealed. */
export const templatePlace = (orderId: string): SealedPlace => ({
  name: `${orderId}/template`,
  place: { orderId },
  context: templateContext(orderId),
});

/** The template made ready for the order's columns. */
export function compileFor(
  context: Pick<Context, 'settings' | 'random'>,
  order: Pick<OrderRecord, 'metadata' | 'personalisation'>,
  upp: Uint8Array,
  columns: readonly string[],
): Personaliser {
  const metadata = metadataByIccid(context, order);
  return compilePersonaliser(upp, order.personalisation, columns, metadata, context.random);
}

/** The template in clear; the caller wipes it. */
export async function openTemplate(context: Context, orderId: string, order: OrderRecord): Promise<Bytes> {
  const sealed = await readWhole(context, order.template);
  return await unseal(context, { sealed, wrappedKey: order.templateKey }, templateContext(orderId));
}
