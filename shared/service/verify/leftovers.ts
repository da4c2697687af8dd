import { decodeWrappedKey } from '../../keys/wrapped-key.ts';
import { scanSpread } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import { readableLine } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { anchoredHead, headOf } from '../records/audit.ts';
import { ledgerKeys, traceStripes } from '../records/keys.ts';
import { PPK_AUDIT_HEADS, PPK_IDENTITY, ppkAuditHead } from '../records/object-names.ts';
import { orderStateRecord, type PackRecord, packRecord } from '../records/order.ts';
import { standingRecord } from '../records/standing.ts';
import { traceRecord } from '../records/trace.ts';
import { checkEach, type Finding, inVault, type Repair, type Slice } from './finding.ts';
import { checkManifest, isManifest } from './manifests.ts';
import { readNewest } from './objects.ts';
import { isOwned } from './owners.ts';

/** Names of one slice. */
const SLICE = 100;

/** Objects that attempts wrote and no record names, and locked ones that cannot be read. */
export async function* verifyObjects(context: Context, after: string): AsyncGenerator<Slice> {
  const rest = filtered(context.vault.names(''), (name) => name > after);
  yield* slices(
    rest,
    (name) => name,
    (name) =>
      checkEach(
        [name],
        (one) => checkObjectName(context, one),
        (one) => inVault(one, ''),
      ),
  );
}

/** Packs of keys that no record names, and those that are damaged. */
export async function* verifyPpks(context: Context, after: string): AsyncGenerator<Slice> {
  // the store's own order has no places by name: a run that goes on passes over as many as were looked at
  yield* slices(skipped(context.ppks.names(), Number(after)), numbered(Number(after)), (name) =>
    checkEach(
      [name],
      (one) => checkPackName(context, one),
      (one) => ({ where: 'PPK vault', name: one, problem: '' }),
    ),
  );
}

async function* slices(
  names: AsyncIterable<string>,
  cursorAt: (name: string) => string,
  check: (name: string) => Promise<Finding[]>,
): AsyncGenerator<Slice> {
  let findings: Finding[] = [];
  let looked = 0;
  for await (const name of names) {
    findings.push(...(await check(name)));
    looked += 1;
    const cursor = cursorAt(name);
    if (looked < SLICE) continue;
    yield { findings, looked, cursor };
    findings = [];
    looked = 0;
  }
  yield { findings, looked, cursor: undefined };
}

async function* filtered(
  names: AsyncIterable<string>,
  fits: (name: string) => boolean,
): AsyncGenerator<string> {
  for await (const name of names) if (fits(name)) yield name;
}

function skipped(names: AsyncIterable<string>, count: number): AsyncGenerator<string> {
  let left = count;
  return filtered(names, () => left-- <= 0);
}

function numbered(from: number): () => string {
  let number = from;
  return () => String(++number);
}

async function checkObjectName(context: Context, name: string): Promise<Finding[]> {
  // what its record names was read with the record
  if (/^(?:records|commits|audit)\//.test(name)) {
    const { finding } = await readNewest(context.vault, name, 'a locked object');
    return finding === undefined ? [] : [finding];
  }
  if (isManifest(name)) return await checkManifest(context, name);
  if ((await isOwned(context, name)) || (await isTraced(context, name))) return [];
  return [
    inVault(name, 'no record names this object, and no attempt is at work on it', { removeObject: name }),
  ];
}

async function checkPackName(context: Context, name: string): Promise<Finding[]> {
  const { ledger, ppks } = context;
  if (name === PPK_IDENTITY) return [];
  // a header that was changed, or stands under another name, is a Fault
  await ppks.header(name);
  const where = 'PPK vault';
  if (name.startsWith(PPK_AUDIT_HEADS)) return checkAuditHead(context, name);
  if (name.startsWith('ledger/')) {
    const item = await ledger.get(ledgerKeys.standing);
    const anchor = item && standingRecord.from(item).anchor;
    return anchor === name
      ? []
      : [
          {
            where,
            name,
            problem:
              'the anchor of an older state of the ledger is left: a backup of then is not found out by it',
          },
        ];
  }
  const [, orderId, pack, attempt] = /^([^/]+)\/(\d+)\/([0-9a-f-]{36})/.exec(name) ?? [];
  if (orderId === undefined || attempt === undefined)
    return [{ where, name, problem: 'no record has such a name' }];
  const item = await ledger.get(ledgerKeys.orderPack(orderId, Number(pack)));
  const record = item && packRecord.from(item);
  if (record?.ppks === name || record?.dataKey === name || (await isTraced(context, name))) return [];
  const problem = 'no record names these keys, and no attempt is at work on them';
  const isOwn = record !== undefined && name.startsWith(record.ppks);
  const repair = isOwn ? await repairOfDataKey(context, orderId, record, name) : { destroyPack: name };
  return [{ where, name, problem, ...present({ repair }) }];
}

/**
 * Of a data key that has another name than the record of its pack says: the record's may be lost with what a ledger has lost
 * of a rotation, and then this one is it. Undefined where it is on its way to another wrapping key, whose list has it first.
 */
async function repairOfDataKey(
  { ledger, ppks }: Context,
  orderId: string,
  { dataKey }: PackRecord,
  name: string,
): Promise<Repair | undefined> {
  const header = await ppks.header(name);
  if (header === undefined) return undefined;
  const state = await ledger.get(ledgerKeys.orderState(orderId));
  const mayBind = state !== undefined && ['Preparing', 'Open'].includes(orderStateRecord.from(state).state);
  if (mayBind && (await ppks.header(dataKey)) === undefined) return { adoptDataKeys: orderId };
  const { keyUri } = decodeWrappedKey(header);
  const isListed = (await ledger.get(ledgerKeys.wrappedUnder(keyUri, name))) !== undefined;
  return mayBind && isListed ? undefined : { destroyPack: name };
}

/** Ends whose writers, and who comes after them, take care of them are marked in the head of the log. */
async function checkAuditHead({ ledger, ppks }: Context, name: string): Promise<Finding[]> {
  const head = headOf(await ledger.get(ledgerKeys.auditHead));
  if (head?.anchors.some(({ sequence }) => name === ppkAuditHead(sequence))) return [];
  // a mark goes after its entry
  const header = await ppks.header(name);
  if (header === undefined) return [];
  const { sequence, hash } = anchoredHead.fromObject(name, header);
  const line = await ledger.get(ledgerKeys.auditLine(sequence));
  const problem = 'no writer of the audit log left this end of it';
  const finding: Finding = { where: 'PPK vault', name, problem };
  // what the log does not have may be the only trace of what was cut off
  const isTrue = line !== undefined && readableLine(line)?.hash === hash;
  return [isTrue ? { ...finding, repair: { destroyPack: name } } : finding];
}

/** Whether an attempt that may still count, or the reaper, has it in hand. */
async function isTraced({ ledger }: Context, name: string): Promise<boolean> {
  for await (const items of scanSpread(ledger, traceStripes))
    for (const item of items) {
      const { objects, ppks } = traceRecord.from(item);
      if (objects.includes(name) || ppks.includes(name)) return true;
    }
  return false;
}
