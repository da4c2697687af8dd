import { refuse } from '../../errors.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { ItemKey, Ledger, Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames, uploadedAs } from '../records/object-names.ts';
import {
  type OpenUpload,
  openUploadsRecord,
  type TransferRecord,
  transferRecord,
} from '../records/transfer.ts';
import { CLAIMED_MS, LIFE_MS, traceOf } from './traces.ts';

/*
 * The life of an upload: a link to fill it holds for five minutes, and it goes a day after it was granted, used or not.
 * Two things change that. What is read where it lies is in use until the work on it is done; a template goes as soon as a
 * sealed copy is part of an order. What a party has under way is bounded, in number and in octets, from the grant on.
 */

/** Seconds for which a link holds. A client that is too late asks for another. */
export const LINK_SECONDS = 300;

/** Enters a grant: what the party has under way, the transfer, and the trace that ends it. */
export async function openUpload(
  context: Context,
  party: string,
  transferId: string,
  upload: Pick<TransferRecord, 'purpose' | 'name' | 'size' | 'sha256'>,
): Promise<void> {
  const { ledger } = context;
  const openedAt = context.now();
  const holder = ledgerKeys.transfer(party, transferId);
  const { entered } = traceOf('upload', transferId, { objects: [upload.name], holder }, openedAt);
  const dueAt = openedAt + LIFE_MS.upload;
  await changeItem(ledger, ledgerKeys.openUploads(party), async (item) => {
    const open = item === undefined ? [] : openUploadsRecord.from(item).uploads;
    const uploads = await withRoom(context, open, upload.size);
    const one: OpenUpload = { transferId, size: upload.size, openedAt };
    const attributes = openUploadsRecord.to({ uploads: [...uploads, one] });
    return becomes(attributes, undefined, [
      { put: holder, attributes: transferRecord.to({ ...upload, openedAt, dueAt }), when: 'absent' },
      entered,
    ]);
  });
}

/** The uploads that count, if there is room for one more of this size; refuses otherwise, and says when to try again. */
async function withRoom(
  { settings: { uploads: limit }, vault, now }: Context,
  open: readonly OpenUpload[],
  size: number,
): Promise<readonly OpenUpload[]> {
  const fits = (list: readonly OpenUpload[]) =>
    list.length < limit.count && list.reduce((sum, one) => sum + one.size, size) <= limit.octets;
  const endOfLife = ({ openedAt }: OpenUpload) => openedAt + LIFE_MS.upload + 2 * CLAIMED_MS;
  const alive = open.filter((one) => endOfLife(one) > now());
  if (fits(alive)) return alive;
  // a grant that was never used counts as long as its link holds
  const endOfLink = ({ openedAt }: OpenUpload) => openedAt + LINK_SECONDS * 1000;
  const isStored = await Promise.all(
    alive.map(async ({ transferId }) => (await vault.head(objectNames.upload(transferId))) !== undefined),
  );
  const counted = alive.filter((one, i) => isStored[i] || endOfLink(one) > now());
  if (fits(counted)) return counted;
  const ends = alive.map((one, i) => (isStored[i] ? endOfLife(one) : endOfLink(one)));
  const seconds = Math.ceil(Math.max(1_000, Math.min(...ends.filter((end) => end > now())) - now()) / 1000);
  return refuse(
    'rateExceeded',
    `uploads under way are limited to ${limit.count} and ${limit.octets} octets of a party; use those that are there, or try again in ${seconds} s`,
  );
}

/** Counts an upload no more; may be repeated. */
export async function closeUpload(ledger: Ledger, party: string, transferId: string): Promise<void> {
  await changeItem(ledger, ledgerKeys.openUploads(party), (item) => {
    const uploads = item === undefined ? [] : openUploadsRecord.from(item).uploads;
    const others = uploads.filter((one) => one.transferId !== transferId);
    return others.length === uploads.length
      ? unchanged()
      : becomes(openUploadsRecord.to({ uploads: others }));
  });
}

/**
 * Belongs into the transaction that takes an upload into use where it lies: none for an object that came otherwise.
 * Refuses one whose life is over.
 */
export async function uploadInUse(
  { ledger }: Pick<Context, 'ledger'>,
  party: string,
  object: Pick<ObjectRef, 'name'> | undefined,
): Promise<readonly Write[]> {
  const found = object && (await findTransfer(ledger, party, object));
  if (object === undefined) return [];
  if (found === undefined) return uploadedAs(object) === undefined ? [] : dayIsOver(object);
  const { item, record, transferId } = found;
  if (record.inUse === true || record.destroyed !== undefined) return [];
  const trace = ledgerKeys.trace(transferId, record.dueAt);
  if ((await ledger.get(trace)) === undefined) dayIsOver(object);
  return [
    { remove: trace, when: { revision: 1 } },
    {
      put: item,
      attributes: transferRecord.to({ ...record, inUse: true }),
      when: { revision: item.revision },
    },
  ];
}

function dayIsOver(object: Pick<ObjectRef, 'name'>): never {
  return refuse('requestUnknown', 'the day of this transfer is over; send its content again', {
    ...present({ subjectIdentifier: uploadedAs(object) }),
  });
}

/** Belongs into the transaction that ends the use of an object that was taken on: it goes a day later. */
export async function useIsOver(
  { ledger, now }: Pick<Context, 'ledger' | 'now'>,
  party: string,
  id: string,
  object: Pick<ObjectRef, 'name'>,
  holder: ItemKey,
): Promise<readonly Write[]> {
  const objects = [object.name];
  const found = await findTransfer(ledger, party, object);
  if (found === undefined) return [traceOf('used', id, { objects, holder }, now()).entered];
  const { item, record, transferId } = found;
  const { inUse: _, ...others } = record;
  const over = { ...others, dueAt: now() + LIFE_MS.upload };
  return [
    { put: item, attributes: transferRecord.to(over), when: { revision: item.revision } },
    traceOf('upload', transferId, { objects, holder: item }, now()).entered,
  ];
}

async function findTransfer(ledger: Ledger, party: string, object: Pick<ObjectRef, 'name'>) {
  const transferId = uploadedAs(object);
  const item = transferId && (await ledger.get(ledgerKeys.transfer(party, transferId)));
  return item ? { transferId, item, record: transferRecord.from(item) } : undefined;
}
