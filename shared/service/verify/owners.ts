import type { Item, ItemKey } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { commitOfPart } from '../esbpp/just-in-time/lane-closing.ts';
import { ingestRecord } from '../records/ingest.ts';
import { chunkRecord, jobRecord } from '../records/job.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { objectNames, parseLanePart, uploadedAs } from '../records/object-names.ts';
import { orderRecord, packRecord } from '../records/order.ts';
import { partyRecord } from '../records/party.ts';
import { reportWork } from '../records/report.ts';

/** The item that an object belongs to by its name, and the objects that this item names. */
interface Owner {
  /** Its groups are what `key` is given. */
  readonly names: RegExp;
  readonly key: (id: string, part: string) => ItemKey;
  readonly named: (item: Item) => readonly (string | undefined)[];
}

/**
 * Objects whose names have the random identifier of an attempt: which of several counts, a record says. All others have a
 * name that follows from what owns them, or a life of their own (../life/kinds.ts).
 */
const OWNERS: readonly Owner[] = [
  {
    names: /^orders\/([^/]+)\/(?:packs|output)\/(\d+)-/,
    key: (orderId, pack) => ledgerKeys.orderPack(orderId, Number(pack)),
    named(item) {
      const { object, output } = packRecord.from(item);
      return [object.name, output?.name];
    },
  },
  {
    names: /^orders\/([^/]+)\/(?:template|rows)-/,
    key: ledgerKeys.order,
    named(item) {
      const { template, rows } = orderRecord.from(item);
      return [template.name, objectNames.rowIndex(template.name), rows?.name];
    },
  },
  {
    names: /^parts\/([0-9a-f]+)\/(\d+)-(?!without-)/,
    key: (jobId, chunk) => ledgerKeys.chunk(jobId, Number(chunk)),
    named: (item) => [chunkRecord.from(item).part.name],
  },
  {
    names: /^requests\/([0-9a-f]+)-/,
    key: ledgerKeys.job,
    named: (item) => [jobRecord.from(item).request?.name],
  },
  {
    names: /^euicc-data\/([0-9a-f]+)-/,
    key: ledgerKeys.ingest,
    named: (item) => [ingestRecord.from(item).batch.name],
  },
  {
    names: /^reports\/([0-9a-f]+)-/,
    key: ledgerKeys.reportWork,
    named: (item) => [reportWork.from(item).body.name],
  },
];

/** Whether the ledger knows whose the object is. One that an attempt is at work on has a trace, and need not have an owner. */
export async function isOwned(context: Context, name: string): Promise<boolean> {
  const { ledger } = context;
  if (parseLanePart(name) !== undefined) return (await commitOfPart(context, name)) !== undefined;
  const transferId = uploadedAs({ name });
  if (transferId !== undefined) return await isTransfer(context, transferId);
  for (const { names, key, named } of OWNERS) {
    const [, id, part = ''] = names.exec(name) ?? [];
    if (id === undefined) continue;
    const item = await ledger.get(key(id, part));
    return item !== undefined && named(item).includes(name);
  }
  return true;
}

/** Whether an upload was granted to any of the parties. */
async function isTransfer({ ledger }: Context, transferId: string): Promise<boolean> {
  const parties = await scanAll(ledger, partitions.parties);
  const identifiers = new Set(parties.map((item) => partyRecord.from(item).identifier));
  const grants = await ledger.getMany(
    [...identifiers].map((party) => ledgerKeys.transfer(party, transferId)),
  );
  return grants.some((grant) => grant !== undefined);
}
