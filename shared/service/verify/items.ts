import { suiteByName } from '../../crypto/suite.ts';
import { encodeAttributes } from '../../ledger/item.ts';
import type { Item, ItemKey } from '../../ledger/ledger.ts';
import { walkPages } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { progressOfJob } from '../counts/job-counts.ts';
import { euiccRecord, keyOwner, keyOwnerKey } from '../records/euicc.ts';
import {
  answerRecord,
  chunkCount,
  chunkRecord,
  type JobRecord,
  jobRecord,
  requestSlice,
} from '../records/job.ts';
import { ledgerKeys, ownerOfStripe, pageOfSort } from '../records/keys.ts';
import { kindOf } from '../records/kinds.ts';
import { readJobRecord, readOrderRecord, readRequestSlice } from '../records/locked-records.ts';
import { branchRecord, pageRecord, treeRecord } from '../records/manifest-tree.ts';
import { objectNames } from '../records/object-names.ts';
import { iccidOwner, orderRecord, orderStateRecord, packRecord } from '../records/order.ts';
import { profileRecord } from '../records/profile.ts';
import type { RecordKind } from '../records/record.ts';
import { crlRecord } from '../records/trust.ts';
import { checkChunk } from './commits.ts';
import { checkEach, type Finding, inLedger, inVault, type Slice } from './finding.ts';
import { checkBranch, checkPage, checkTree } from './manifest-tree.ts';
import { checkObject } from './objects.ts';

/** Items of one slice. */
const SLICE = 200;

type Check = (context: Context, item: Item) => Promise<Finding[]>;

/** Every item of the ledger: it can be read, is a record of its kind, and what it names is there. */
export async function* verifyItems(context: Context, after: string): AsyncGenerator<Slice> {
  const { ledger } = context;
  if (after === '') {
    const defects = await ledger.defects();
    const findings = defects.map((problem): Finding => ({ where: 'ledger', name: 'the store', problem }));
    if (findings.length > 0) yield { findings, looked: 0, cursor: '' };
  }
  for await (const { found, cursor } of walkPages(ledger, SLICE, after === '' ? undefined : after)) {
    const findings = await checkEach(
      found,
      (walked) => checkItem(context, walked),
      (key) => inLedger(key, ''),
    );
    yield { findings, looked: found.length, cursor };
  }
}

/** One item, with what it leans on. */
export async function checkItem(context: Context, walked: ItemKey): Promise<Finding[]> {
  // as it stands now: since the walk came by it may have gone
  const item = await context.ledger.get(walked);
  if (item === undefined) return [];
  const kind = kindOf(item);
  if (kind === undefined) return [inLedger(item, 'no record has such a name')];
  kind.from(item);
  return (await CHECKS.get(kind)?.(context, item)) ?? [];
}

/** What is held against what, by kind of record; a kind without a row stands by itself. */
const CHECKS: ReadonlyMap<RecordKind<object>, Check> = new Map<RecordKind<object>, Check>([
  [orderRecord, checkOrder],
  [packRecord, checkPack],
  [iccidOwner, checkIccid],
  [jobRecord, checkJob],
  [requestSlice, checkRequestSlice],
  [
    chunkRecord,
    async (context, item) => {
      const record = chunkRecord.from(item);
      const [jobId, chunk] = [ownerOfStripe(item.partition), Number(item.sort.slice('chunk#'.length))];
      const own = await checkChunk(context, jobId, chunk, record);
      return [...own, ...(await checkObject(context.vault, record.part, 'the part of a committed chunk'))];
    },
  ],
  [treeRecord, checkTree],
  [branchRecord, checkBranch],
  [pageRecord, checkPage],
  [answerRecord, checkAnswer],
  [euiccRecord, checkEuicc],
  [
    crlRecord,
    async ({ vault }, item) => await checkObject(vault, crlRecord.from(item).object, 'a revocation list'),
  ],
]);

const nameIn = ({ partition }: { readonly partition: string }) => partition.slice(partition.indexOf('#') + 1);

async function checkOrder({ ledger, vault }: Context, item: Item): Promise<Finding[]> {
  const order = orderRecord.from(item);
  const orderId = nameIn(item);
  const [state, supply] = await ledger.getMany([
    ledgerKeys.orderState(orderId),
    ledgerKeys.orderSupply(orderId),
  ]);
  if (state === undefined)
    return [inLedger(ledgerKeys.orderState(orderId), 'the state of an order is missing')];
  const { state: word } = orderStateRecord.from(state);
  if (word !== 'Open') return [];
  const findings: Finding[] = [];
  if (supply === undefined)
    findings.push(inLedger(ledgerKeys.orderSupply(orderId), 'the supply of an open order is missing'));
  const locked = await readOrderRecord(vault, orderId);
  if (locked === undefined)
    findings.push(inVault(objectNames.orderRecord(orderId), 'the locked record of an open order is missing'));
  // the data key of its template changes with the wrapping key
  else if (
    encoded(orderRecord, { ...locked, templateKey: order.templateKey }) !== encoded(orderRecord, order)
  )
    findings.push(inLedger(item, 'the order contradicts its locked record'));
  return [...findings, ...(await checkObject(vault, order.template, 'the template of an open order'))];
}

const encoded = <T>(kind: RecordKind<T>, record: T) => encodeAttributes(kind.to(record));

async function checkPack(context: Context, item: Item): Promise<Finding[]> {
  const { ledger, vault } = context;
  const { object, offsets, iccids, output } = packRecord.from(item);
  const orderId = ownerOfStripe(item.partition);
  const pack = Number(item.sort.slice('pack#'.length));
  const findings: Finding[] = [];
  if (offsets.length !== iccids.length + 1 || offsets.at(-1) !== object.size)
    findings.push(inLedger(item, 'the offsets are not those of its object'));
  const [stateItem, made] = await ledger.getMany([
    ledgerKeys.orderState(orderId),
    ledgerKeys.orderPackMade(orderId, pack),
  ]);
  if (made === undefined)
    findings.push(inLedger(item, 'the mark that says that the pack is made is missing'));
  if (stateItem === undefined)
    return [...findings, inLedger(ledgerKeys.orderState(orderId), 'the order of a pack is missing')];
  // what an order leaves behind that has ended is bound, or of no use
  if (orderStateRecord.from(stateItem).state !== 'Open') return findings;
  findings.push(...(await checkObject(vault, object, 'a pack of protected profiles')));
  if (output !== undefined) findings.push(...(await checkObject(vault, output, 'the output rows of a pack')));
  return [...findings, ...(await checkIccidsOf(context, orderId, pack, iccids))];
}

/** Each ICCID of a pack stands for its position; one that was released may have been ordered again. */
async function checkIccidsOf(
  { ledger }: Context,
  orderId: string,
  pack: number,
  iccids: readonly string[],
): Promise<Finding[]> {
  const order = await ledger.get(ledgerKeys.order(orderId));
  if (order === undefined) return [inLedger(ledgerKeys.order(orderId), 'the order of a pack is missing')];
  const first = pack * orderRecord.from(order).packSize;
  const owners = await ledger.getMany(iccids.map((iccid) => ledgerKeys.iccid(iccid)));
  const profiles = await ledger.getMany(iccids.map((_, place) => ledgerKeys.profile(orderId, first + place)));
  return iccids.flatMap((iccid, place) => {
    const owner = owners[place] && iccidOwner.from(owners[place]);
    if (owner?.orderId === orderId && owner.position === first + place) return [];
    const profile = profiles[place] && profileRecord.from(profiles[place]);
    if (profile?.state === 'Closed') return [];
    const problem = `the ICCID at position ${first + place} of order ${orderId} stands for none, or for another`;
    return [inLedger(ledgerKeys.iccid(iccid), problem)];
  });
}

async function checkIccid({ ledger }: Context, item: Item): Promise<Finding[]> {
  const { orderId, position } = iccidOwner.from(item);
  const orderItem = await ledger.get(ledgerKeys.order(orderId));
  if (orderItem === undefined) return [];
  const { packSize } = orderRecord.from(orderItem);
  const packItem = await ledger.get(ledgerKeys.orderPack(orderId, Math.floor(position / packSize)));
  const here = packItem && packRecord.from(packItem).iccids[position % packSize];
  return packItem === undefined || here === nameIn(item)
    ? []
    : [inLedger(item, `order ${orderId} has another ICCID at position ${position}`)];
}

async function checkJob({ ledger, vault }: Context, item: Item): Promise<Finding[]> {
  const job = jobRecord.from(item);
  const { request } = job;
  const jobId = nameIn(item);
  if (job.planning !== undefined) return await checkPlanning({ ledger, vault }, item, job);
  const findings: Finding[] = [];
  // of one with many chunks their counts, which ./jobs.ts holds against the chunks
  const { chunks } = await progressOfJob(ledger, jobId, job);
  const open = await ledger.get(ledgerKeys.openWork('job', jobId));
  const left = chunkCount(job) - chunks;
  const isWhole = request === undefined && (await ledger.get(ledgerKeys.chunk(jobId, 0))) !== undefined;
  if (left > 0 && open === undefined && !isWhole)
    findings.push(
      inLedger(item, `${left} chunks of the job are not committed, and nothing says that it is open work`),
    );
  // what came as an upload goes once the job is done
  if (left > 0 && request !== undefined)
    findings.push(...(await checkObject(vault, request, 'the request of an open job')));
  if (chunkCount(job) === 1 || chunks === 0) return findings;
  const locked = await readJobRecord(vault, jobId);
  if (locked === undefined)
    findings.push(inVault(objectNames.jobRecord(jobId), 'the locked record of a job is missing'));
  else if (encoded(jobRecord, locked) !== encoded(jobRecord, job))
    findings.push(inLedger(item, 'the job contradicts its locked record'));
  return findings;
}

/** A large request that is no whole job yet. */
async function checkPlanning(
  { ledger, vault }: Pick<Context, 'ledger' | 'vault'>,
  item: Item,
  { planning, request }: JobRecord,
): Promise<Finding[]> {
  if (planning?.refused !== undefined) return [];
  const keys = (['request', 'euiccData'] as const).map((kind) => ledgerKeys.openWork(kind, nameIn(item)));
  const open = await ledger.getMany(keys);
  if (open.every((one) => one === undefined))
    return [inLedger(item, 'the request is not planned, and nothing says that it is open work')];
  return request === undefined ? [] : await checkObject(vault, request, 'a request that is being planned');
}

/** Of a job that stands: its slices were recorded with it. */
async function checkRequestSlice({ ledger, vault }: Context, item: Item): Promise<Finding[]> {
  const jobId = nameIn(item);
  const [jobItem] = await ledger.getMany([ledgerKeys.job(jobId)]);
  if (jobItem === undefined) return [inLedger(item, 'a slice of a request whose job is missing')];
  if (jobRecord.from(jobItem).planning !== undefined) return [];
  const slice = pageOfSort(item.sort);
  const locked = await readRequestSlice(vault, jobId, slice);
  const name = objectNames.requestSlice(jobId, slice);
  if (locked === undefined) return [inVault(name, 'the locked record of a slice of a request is missing')];
  return encoded(requestSlice, locked) === encoded(requestSlice, requestSlice.from(item))
    ? []
    : [inLedger(item, 'the slice of a request contradicts its locked record')];
}

/** The answer in parts of a job that has no pages. */
async function checkAnswer({ vault }: Context, item: Item): Promise<Finding[]> {
  const { manifest, longTermSignature, parts } = answerRecord.from(item);
  const findings: Finding[] = [];
  for (const ref of [manifest, longTermSignature, ...parts])
    if (ref !== undefined)
      findings.push(...(await checkObject(vault, ref, 'a manifest, or a part that it names,')));
  return findings;
}

async function checkEuicc({ ledger }: Context, item: Item): Promise<Finding[]> {
  const { suite, eumChain, euiccInfo2, keys } = euiccRecord.from(item);
  const eid = nameIn(item);
  const wanted = [
    ledgerKeys.euiccCertificate(eid),
    ledgerKeys.eumChain(eumChain),
    ledgerKeys.euiccInfo2(euiccInfo2),
  ];
  const found = await ledger.getMany(wanted);
  const findings = wanted.flatMap((key, i) =>
    found[i] === undefined ? [inLedger(key, `it is missing, and eUICC ${eid} leans on it`)] : [],
  );
  const { identityOf } = suiteByName(suite);
  const owned = keys.map(({ otPk }) => keyOwnerKey(suite, identityOf(otPk)));
  for (const [i, owner] of (await ledger.getMany(owned)).entries()) {
    const { eid: of, keyId } =
      owner === undefined ? { eid: undefined, keyId: undefined } : keyOwner.from(owner);
    if (of !== eid || keyId !== keys[i]!.keyId)
      findings.push(
        inLedger(owned[i]!, `one-time key ${keys[i]!.keyId} of eUICC ${eid} has no owner, or another`),
      );
  }
  for (const { keyId, state, by } of keys)
    if ((state === 'claimed') !== (by !== undefined) && state !== 'closed')
      findings.push(
        inLedger(
          item,
          `one-time key ${keyId} is ${state}, and ${by === undefined ? 'nobody' : by} has claimed it`,
        ),
      );
  return findings;
}
