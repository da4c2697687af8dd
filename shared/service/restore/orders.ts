import { decodeWrappedKey } from '../../keys/wrapped-key.ts';
import { removeItem } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import { decodePack } from '../../profile/pack.ts';
import { decodeStoreMetadata } from '../../rsp/store-metadata.ts';
import type { Context } from '../context.ts';
import { orderCountWrites } from '../counts/order-counts.ts';
import { transactCounted } from '../counts/transact.ts';
import { endWrites } from '../es2f/order-closing.ts';
import { finishOrder } from '../es2f/order-preparation.ts';
import { profileCount } from '../es2f/order-profiles.ts';
import { templatePlace } from '../es2f/order-template.ts';
import { destroyRowSlices } from '../es2f/row-slice-store.ts';
import { ledgerKeys } from '../records/keys.ts';
import { readOrderRecord } from '../records/locked-records.ts';
import { objectNames, packAttempts, ppkNames } from '../records/object-names.ts';
import {
  iccidOwner,
  type OrderRecord,
  orderRecord,
  orderStateRecord,
  type PackRecord,
  packCount,
  packMade,
  packRecord,
} from '../records/order.ts';
import { PREPARING } from '../records/work-kinds.ts';
import { newOrderWrites } from '../supply/own-order.ts';
import { destroyPackKeys } from '../supply/packs.ts';
import { noteDataKey, type StoredDataKeys } from './data-keys.ts';

export type OrderOutcome = 'known' | 'restored' | 'closed';

/**
 * Brings back an order that opened after the restored ledger's last write: its record from the vault, its packs from
 * their objects. Where a pack cannot be had for certain the order is closed: made afresh, its rows would differ from
 * those that the Operator has.
 */
export async function restoreOrder(
  context: Context,
  orderId: string,
  stored: StoredDataKeys,
): Promise<OrderOutcome> {
  const { ledger, vault } = context;
  const [known, stateItem] = await ledger.getMany([
    ledgerKeys.order(orderId),
    ledgerKeys.orderState(orderId),
  ]);
  const state = stateItem && orderStateRecord.from(stateItem).state;
  if (state !== undefined && state !== 'Preparing') return 'known';
  const order = known === undefined ? await readOrderRecord(vault, orderId) : orderRecord.from(known);
  if (order === undefined) return 'known';
  if (known === undefined) await putOrder(context, orderId, order);
  for (let pack = 0; pack < packCount(order); pack++) {
    if (await restorePack(context, orderId, order, pack, stored)) continue;
    await closeOrder(context, orderId, order, stored);
    return 'closed';
  }
  await finishOrder(context, orderId);
  return 'restored';
}

async function putOrder({ ledger }: Context, orderId: string, order: OrderRecord): Promise<void> {
  const { keyUri } = decodeWrappedKey(order.templateKey);
  const { name, place } = templatePlace(orderId);
  // by itself, and first as for a new order: the restored ledger may have this entry and not the order
  await noteDataKey(ledger, { keyUri, name }, place);
  await ledger.transact(newOrderWrites(orderId, order));
}

async function closeOrder(
  context: Context,
  orderId: string,
  order: OrderRecord,
  stored: StoredDataKeys,
): Promise<void> {
  const { ledger } = context;
  const item = await ledger.get(ledgerKeys.orderState(orderId));
  if (item === undefined) return;
  // before it is closed, since a repeat looks at no closed order; and a repeat finds as little of its packs as this run
  await destroyKeysOfAttempts(context, orderId, order, stored);
  const attributes = orderStateRecord.to({ state: 'Closed' });
  await ledger.transact([
    { put: item, attributes, when: { revision: item.revision } },
    // the keys of those packs that have a record go with it, and whoever is to be told of their profiles is
    ...(await endWrites(context, orderId, await profileCount(context, orderId, order))),
  ]);
  for (const kind of PREPARING) {
    await removeItem(ledger, ledgerKeys.openWork(kind, orderId));
  }
  await destroyRowSlices(context, orderId, order);
}

/** Packs without a record end with no order: whichever attempt was committed, nothing of it is bound any more, and some of it was (I5). */
async function destroyKeysOfAttempts(
  context: Context,
  orderId: string,
  order: OrderRecord,
  stored: StoredDataKeys,
): Promise<void> {
  const { ledger, vault } = context;
  for (let pack = 0; pack < packCount(order); pack++) {
    if ((await ledger.get(ledgerKeys.orderPack(orderId, pack))) !== undefined) continue;
    for await (const name of vault.names(packAttempts(orderId, pack)))
      await destroyPackKeys(context, keysOf(name, orderId, pack, stored));
  }
}

/** What the PPK vault has of an attempt at a pack, by the name of its object. */
function keysOf(object: string, orderId: string, pack: number, stored: StoredDataKeys) {
  const names = ppkNames(orderId, pack, object.slice(packAttempts(orderId, pack).length));
  return { ppks: names.ppks, dataKey: stored.of(names.ppks) ?? names.dataKey };
}

/**
 * A pack whose record is lost, from its object: of several attempts the one whose data key is still there, since the
 * others destroyed theirs. False where that leaves none or more than one.
 */
export async function restorePack(
  context: Context,
  orderId: string,
  order: OrderRecord,
  pack: number,
  stored: StoredDataKeys,
): Promise<boolean> {
  const { ledger, vault, ppks } = context;
  if ((await ledger.get(ledgerKeys.orderPack(orderId, pack))) !== undefined) return true;
  const prefix = packAttempts(orderId, pack);
  const attempts: { name: string; ppks: string; dataKey: string; header: Uint8Array | undefined }[] = [];
  for await (const name of vault.names(prefix)) {
    const keys = keysOf(name, orderId, pack, stored);
    attempts.push({ name, ...keys, header: await ppks.header(keys.dataKey) });
  }
  const alive = attempts.filter(({ header }) => header !== undefined);
  const [chosen, ...others] = alive.length > 0 ? alive : attempts;
  if (chosen === undefined || others.length > 0) return false;
  const object = await vault.head(chosen.name);
  if (object === undefined) return false;
  const { entries, offsets } = decodePack(await vault.get(object));
  const iccids = entries.map(({ metadata }) => decodeStoreMetadata(metadata).iccid);
  const attempt = chosen.name.slice(prefix.length);
  const output =
    order.outputKey === undefined ? undefined : await vault.head(objectNames.output(orderId, pack, attempt));
  if (order.outputKey !== undefined && output === undefined) return false;
  const record: PackRecord = {
    object,
    offsets,
    iccids,
    ppks: chosen.ppks,
    dataKey: chosen.dataKey,
    ...present({ output }),
  };
  if (!(await takeIccids(context, orderId, pack * order.packSize, iccids))) return false;
  if (chosen.header !== undefined) {
    const { keyUri } = decodeWrappedKey(chosen.header);
    await noteDataKey(ledger, { keyUri, name: chosen.dataKey }, { orderId, pack });
  }
  const writes: Write[] = [
    { put: ledgerKeys.orderPack(orderId, pack), attributes: packRecord.to(record), when: 'absent' },
    { put: ledgerKeys.orderPackMade(orderId, pack), attributes: packMade.to({}), when: 'absent' },
  ];
  await transactCounted(ledger, writes, () =>
    orderCountWrites(ledger, orderId, { Prepared: iccids.length }, context.now()),
  );
  return true;
}

/** False where one of them belongs to another order. */
async function takeIccids(
  { ledger }: Context,
  orderId: string,
  first: number,
  iccids: readonly string[],
): Promise<boolean> {
  const outcomes = await ledger.writeMany(
    iccids.map(
      (iccid, place): Write => ({
        put: ledgerKeys.iccid(iccid),
        attributes: iccidOwner.to({ orderId, position: first + place }),
        when: 'absent',
      }),
    ),
  );
  return outcomes.every(
    (outcome) =>
      outcome.done || (outcome.found !== undefined && iccidOwner.from(outcome.found).orderId === orderId),
  );
}
