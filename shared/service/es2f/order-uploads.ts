import type { Bytes } from '../../codec/bytes.ts';
import { refuse } from '../../errors.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { OrderInput } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { closeUpload } from '../life/uploads.ts';
import { ledgerKeys } from '../records/keys.ts';
import { uploadedAs } from '../records/object-names.ts';
import type { OrderRecord } from '../records/order.ts';
import { transferRecord } from '../records/transfer.ts';

type Stores = Pick<Context, 'ledger' | 'vault'>;

/** Destroys an uploaded template once the order is taken and a sealed copy is part of it (I5). May be repeated. */
export async function destroyTemplateUpload(stores: Stores, order: OrderRecord): Promise<void> {
  if (order.templateUpload !== undefined) await destroy(stores, order.operator, order.templateUpload);
}

/**
 * Destroys what an Operator sent for an order, once it is packs or will never be: besides the template rows that were
 * encrypted to this server. The intake key would open them for as long as both exist, and with them K of profiles that
 * were bound long ago (I5). May be repeated.
 */
export async function destroyOrderUploads(stores: Stores, order: OrderRecord): Promise<void> {
  const { operator, rows } = order;
  await destroyTemplateUpload(stores, order);
  if (rows !== undefined) await destroy(stores, operator, rows);
}

/** An upload stays known by size and hash, so that the same call again is answered alike (I4). */
async function destroy({ ledger, vault }: Stores, operator: string, object: ObjectRef): Promise<void> {
  const transferId = uploadedAs(object);
  const item = transferId && (await ledger.get(ledgerKeys.transfer(operator, transferId)));
  const transfer = item && transferRecord.from(item);
  if (item && transfer && transfer.destroyed === undefined) {
    const attributes = transferRecord.to({ ...transfer, destroyed: object.version });
    await ledger.write({ put: item, attributes, when: { revision: item.revision } });
  }
  await vault.remove(object.name);
  if (transferId) await closeUpload(ledger, operator, transferId);
}

/** The template's octets. A new order cannot be made from a template or rows that another one has used up. */
export async function readTemplate({ vault }: Stores, { template, rows }: OrderInput): Promise<Bytes> {
  const requireThere = async (what: string, object: ObjectRef) => {
    if ((await vault.head(object.name)) === undefined)
      refuse(
        'requestUnknown',
        `the ${what} of this transfer is destroyed: an order was made from it; send it again`,
      );
  };
  if (rows !== undefined && !(rows instanceof Uint8Array)) await requireThere('row file', rows);
  if (template instanceof Uint8Array) return template;
  await requireThere('template', template);
  return await vault.get(template);
}
