import { refuse } from '../errors.ts';
import type { Context } from './context.ts';
import { ledgerKeys } from './records/keys.ts';
import type { OrderRecord } from './records/order.ts';
import type { OrderInput } from './services.ts';
import { uploadedAs } from './transfers.ts';

/**
 * Destroys the rows that an Operator encrypted to this server, once they are packs or will never be. The intake key
 * would open them for as long as both exist, and with them K of profiles that were bound long ago (I5). May be
 * repeated. An upload stays known by size and hash, so that the same call again is answered alike (I4).
 */
export async function destroyEncryptedRows(
  { ledger, vault }: Pick<Context, 'ledger' | 'vault'>,
  { operator, personalisation, rows }: OrderRecord,
): Promise<void> {
  if (rows === undefined || !('format' in personalisation) || personalisation.format !== 'jwe') return;
  const transferId = uploadedAs(rows);
  const item = transferId && (await ledger.get(ledgerKeys.transfer(operator, transferId)));
  if (item && item.attributes.destroyed === undefined) {
    const attributes = { ...item.attributes, destroyed: rows.version };
    const key = { partition: item.partition, sort: item.sort };
    await ledger.write({ put: key, attributes, when: { revision: item.revision } });
  }
  await vault.remove(rows.name);
}

/** A new order cannot be made from rows that another one has used up. */
export async function requireRowsThere(
  { vault }: Pick<Context, 'vault'>,
  rows: OrderInput['rows'],
): Promise<void> {
  if (rows === undefined || rows instanceof Uint8Array) return;
  if ((await vault.head(rows.name)) === undefined)
    refuse('requestUnknown', 'the rows of this transfer are destroyed: an order was made from them');
}
