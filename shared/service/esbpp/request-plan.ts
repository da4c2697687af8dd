import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { invariant, Refusal } from '../../errors.ts';
import { type ScannedBppRequest, scanBppRequest } from '../../ifpp-draft1/bpp-request-scan.ts';
import { becomes, changeItem, changeItems, removeItem, unchanged, writes } from '../../ledger/change.ts';
import { keyOf } from '../../ledger/item.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { tellEnd } from '../counts/ends.ts';
import { failureWrites } from '../counts/failures.ts';
import { LISTED, loadIngest, rejectedEntries } from '../esed1/euicc-batches.ts';
import type { ForwardedData, IngestService } from '../esed1/ingest.ts';
import { abandonAttempt, beginAttempt } from '../life/attempts.ts';
import { storedBody } from '../life/bodies.ts';
import { useIsOver } from '../life/uploads.ts';
import { type IngestRecord, ingestRecord, ingestSliceCount } from '../records/ingest.ts';
import { chunkCount, type JobRecord, jobRecord, requestSlice, sliceCountOf } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { openWorkOf, openWorkRecord } from '../records/work.ts';
import { recordJob } from '../supply/draws.ts';
import { slicesOf } from '../supply/job-plan.ts';
import { drawSlice, lacksDraw } from './slice-draw.ts';

/*
 * From a large request that was taken on to a job whose chunks can be bound, or a refusal. Four steps, each of which leaves its
 * mark in the ledger, so that whoever stops in the middle goes on there, and two at once do no harm:
 *
 * 1. The request is read once as a whole, with flat memory: where its chunks lie is written down, slice by slice. Whoever stops in
 *    it begins again, since the SHA-256 over it cannot be put aside half done; the slices that were written are the same again.
 * 2. eUICC data inside of it is a batch whose slices are verified as those of path A are, each by itself and as work in place of
 *    this one (esed1/euicc-batches.ts), which is open again once they all are.
 * 3. Slice after slice draws its positions, each in one transaction of slice and supply (slice-draw.ts): those items first, over all
 *    slices, that ask for certain ones, as within a call.
 * 4. Slices, draws and job are recorded as those of any job, and in one transaction it is one: its chunks are open work in place of
 *    its planning.
 *
 * An order that ends meanwhile gives nothing more: the items that have no position are refused one by one when they are bound.
 */

/** A request that is being planned. */
interface Planned {
  readonly jobId: string;
  readonly item: Item;
  readonly job: JobRecord & Required<Pick<JobRecord, 'planning' | 'slices' | 'request'>>;
}

/** Undefined where nothing is left to be planned. */
async function loadPlanned(ledger: Ledger, jobId: string): Promise<Planned | undefined> {
  const item = await ledger.get(ledgerKeys.job(jobId));
  const job = item && jobRecord.from(item);
  if (item === undefined || job?.planning === undefined || job.planning.refused !== undefined)
    return undefined;
  const { planning, slices, request } = job;
  invariant(slices !== undefined && request !== undefined, `the request of job ${jobId} is not large`);
  return { jobId, item, job: { ...job, planning, slices, request } };
}

/** The task; may be repeated, and run twice at once. */
export async function planRequest(context: Context, ingest: IngestService, jobId: string): Promise<void> {
  let planned = await loadPlanned(context.ledger, jobId);
  if (planned?.job.slices.chunks === 0) {
    await readRequest(context, ingest, planned);
    planned = await loadPlanned(context.ledger, jobId);
  }
  // another attempt was faster, or it is to be read again: the finish sees which
  if (planned === undefined || planned.job.slices.chunks === 0) return;
  if (planned.job.planning.forwarded === false) planned = await withDataTaken(context, planned);
  if (planned === undefined) return;
  const { job } = planned;
  for (const what of job.planning.namesIccids === true ? (['named', 'all'] as const) : (['all'] as const))
    for await (const some of slicesOf(context, jobId, job))
      for (const { slice, plan } of some)
        if (lacksDraw(plan, what)) await drawSlice(context, jobId, job, slice, what);
  await becomeJob(context, planned);
}

/** Hands a request that was planned to those who bind its chunks, and one that waits for its eUICC data to those who verify that; may be repeated. */
export async function finishRequest({ ledger, dispatcher }: Context, jobId: string): Promise<boolean> {
  if ((await loadPlanned(ledger, jobId)) !== undefined) {
    const data = await ledger.get(ledgerKeys.openWork('euiccData', jobId));
    if (data !== undefined) await dispatcher.submit(openWorkOf(data));
    return data !== undefined;
  }
  await removeItem(ledger, ledgerKeys.openWork('request', jobId));
  const open = await ledger.get(ledgerKeys.openWork('job', jobId));
  if (open !== undefined) await dispatcher.submit(openWorkOf(open));
  return true;
}

async function readRequest(context: Context, ingest: IngestService, planned: Planned): Promise<void> {
  const { job } = planned;
  const body = storedBody(context, job.request);
  try {
    const scanned = await scanBppRequest(() => body.stream(), body.size, job.chunkSize);
    const { euiccData } = scanned;
    const data = euiccData && (await ingest.readForwarded({ identifier: job.party }, body, euiccData));
    // a batch without entries has no slices that anybody would verify
    await writeSlices(context, planned, scanned, data?.frame.entries === 0 ? undefined : data);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // what is wrong is the request, and not what was read of it
    for await (const _ of body.stream());
    await refuseRequest(context, planned, error);
  }
}

/** The request, once the eUICC data inside of it is taken in; what was refused of it is written down, as much as an answer lists. */
async function withDataTaken(context: Context, { jobId, item, job }: Planned): Promise<Planned | undefined> {
  const { ledger } = context;
  if ((await loadIngest(ledger, jobId)).done === undefined) return undefined;
  const refusedData: JobRecord['refusedData'][number][] = [];
  for await (const { eid, code, message } of rejectedEntries(ledger, jobId))
    if (refusedData.push({ eid, refusal: code, message }) === LISTED) break;
  const attributes = jobRecord.to({ ...job, refusedData, planning: { ...job.planning, forwarded: true } });
  // not done where another attempt was faster
  await ledger.write({ put: item, attributes, when: { revision: item.revision } });
  const now = await loadPlanned(ledger, jobId);
  return now?.job.planning.forwarded === true ? now : undefined;
}

/** Slices that are written at once. */
const SLICES_AT_ONCE = 25;

/** Puts the request under a name of its own, and down where its chunks lie in it, and its eUICC data. */
async function writeSlices(
  context: Context,
  planned: Planned,
  scanned: ScannedBppRequest,
  data: ForwardedData | undefined,
): Promise<void> {
  const { ledger } = context;
  const { jobId, item, job } = planned;
  const { request: upload } = job;
  const attempt = randomUUID();
  const name = objectNames.request(jobId, attempt);
  const written = await beginAttempt(context, 'request', attempt, { objects: [name], holder: item });
  let isRead = false;
  try {
    const request = await storedBody(context, upload).store(name);
    const slices = { ...job.slices, chunks: scanned.chunkOffsets.length - 1 };
    await putSlices(context, planned, request, { ...slices, offsets: scanned.chunkOffsets });
    const { items, namesIccids } = scanned;
    const awaited = data === undefined ? {} : { forwarded: false };
    const read = { ...job, request, items, slices, planning: { namesIccids, ...awaited } };
    const { done } = await ledger.transact([
      { put: item, attributes: jobRecord.to(read), when: { revision: item.revision } },
      written.settled,
      ...(await useIsOver(context, job.party, jobId, upload, item)),
      ...(data === undefined ? [] : await dataFirst(context, jobId, { ...data, batch: request })),
    ]);
    isRead = done;
  } finally {
    if (!isRead) await abandonAttempt(context, written);
  }
}

/** The eUICC data is a batch of its own, and open work in place of the planning. */
async function dataFirst(
  { ledger }: Context,
  jobId: string,
  data: ForwardedData & Pick<IngestRecord, 'batch'>,
): Promise<readonly Write[]> {
  const open = await ledger.get(ledgerKeys.openWork('request', jobId));
  const tasks = ingestSliceCount(data.frame);
  const work = openWorkRecord.to({ tasks, since: data.takenAt });
  return [
    { put: ledgerKeys.ingest(jobId), attributes: ingestRecord.to(data), when: 'absent' },
    { put: ledgerKeys.openWork('euiccData', jobId), attributes: work, when: 'absent' },
    // without it another attempt was faster, which has changed the job as well
    ...(open === undefined ? [] : [{ remove: open, when: { revision: open.revision } } satisfies Write]),
  ];
}

/**
 * Some slices at a time, as long as the request is as it was: an attempt that is left behind would bring a slice back that has
 * become a part of its job.
 */
async function putSlices(
  context: Context,
  { jobId, item: read }: Planned,
  request: ObjectRef,
  {
    offsets,
    ...slices
  }: { readonly chunks: number; readonly ofSlice: number; readonly offsets: readonly number[] },
): Promise<void> {
  const hashes = await storedBody(context, request).hashes(offsets);
  const octets = hashes.length / slices.chunks;
  const put = (slice: number): Write => {
    const first = slice * slices.ofSlice;
    const end = Math.min(slices.chunks, first + slices.ofSlice);
    const chunkHashes = Uint8Array.from(hashes.subarray(first * octets, end * octets));
    return {
      put: ledgerKeys.requestSlice(jobId, slice),
      attributes: requestSlice.to({
        chunkOffsets: offsets.slice(first, end + 1),
        chunkHashes,
        runs: [],
        drawn: 'none',
      }),
      // those of an attempt before this one are the same
      when: 'absent',
    };
  };
  const count = sliceCountOf(slices);
  for (let first = 0; first < count; first += SLICES_AT_ONCE) {
    const some = Array.from({ length: Math.min(SLICES_AT_ONCE, count - first) }, (_, i) => put(first + i));
    const { ledger } = context;
    await changeItems(ledger, async () => {
      const [now, ...there] = await ledger.getMany([read, ...some.map(keyOf)]);
      const lacking = some.filter((_, i) => there[i] === undefined);
      if (now?.revision !== read.revision || lacking.length === 0) return unchanged();
      return writes([{ check: read, when: { revision: read.revision } }, ...lacking]);
    });
    // a long request must not hold up those who wait for an answer
    await setImmediate();
  }
}

/** The request is a job. A plan of one slice stands in its record, as that of a small one. */
async function becomeJob(context: Context, { jobId, item, job: planned }: Planned): Promise<void> {
  const { ledger, now } = context;
  const { planning: _, slices, ...whole } = planned;
  const only = ledgerKeys.requestSlice(jobId, 0);
  const sole = sliceCountOf(slices) === 1 ? await ledger.get(only) : undefined;
  const job: JobRecord = sole === undefined ? { ...whole, slices } : { ...whole, ...planIn(sole) };
  await recordJob(context, jobId, job);
  const open = await ledger.get(ledgerKeys.openWork('request', jobId));
  if (open === undefined) return;
  const { requestId, orderId, items, bodyHash: body, party: by } = job;
  const about = { request: requestId, order: orderId, job: jobId, items, body };
  // not done where another attempt was faster
  await ledger.transact([
    { put: item, attributes: jobRecord.to(job), when: { revision: item.revision } },
    { remove: open, when: { revision: open.revision } },
    {
      put: ledgerKeys.openWork('job', jobId),
      attributes: openWorkRecord.to({ tasks: chunkCount(job), since: job.createdAt }),
      when: 'absent',
    },
    ...(sole === undefined ? [] : [{ remove: only, when: { revision: sole.revision } } satisfies Write]),
    auditWrite({ event: 'request.taken', by, about }, `job-${jobId}`, now()),
  ]);
}

function planIn(slice: Item) {
  const { drawn: _, ...plan } = requestSlice.from(slice);
  return plan;
}

/** The request is none: a repeat of its call is told why, and its octets go a day later. */
async function refuseRequest(context: Context, { jobId, job }: Planned, refusal: Refusal): Promise<void> {
  const { ledger, now } = context;
  const { code, message, subjectIdentifier, offset } = refusal;
  const trustEpoch = (await ledger.get(ledgerKeys.trustEpoch))?.revision ?? 0;
  const refused = { code, message, ...present({ subjectIdentifier, offset }), trustEpoch };
  const open = await ledger.get(ledgerKeys.openWork('request', jobId));
  const { party, orderId, requestId, createdAt: since, request } = job;
  const isOurs = await changeItem<boolean>(ledger, ledgerKeys.job(jobId), async (item) => {
    const stands = item && jobRecord.from(item);
    if (item === undefined || open === undefined || stands?.request?.name !== request.name)
      return unchanged(false);
    if (stands.planning === undefined || stands.planning.refused !== undefined) return unchanged(false);
    const planning = { ...stands.planning, refused };
    return becomes(jobRecord.to({ ...stands, planning }), true, [
      { remove: open, when: { revision: open.revision } },
      ...(await useIsOver(context, party, jobId, request, item)),
      ...failureWrites({ kind: 'call', party, function: 'esbpp.requestBpp' }, [{ code, detail: message }], {
        atMs: now(),
        id: `request-${jobId}-${item.revision}`,
      }),
    ]);
  });
  const end = { kind: 'request', id: jobId, orderId, requestId, party, since } as const;
  if (isOurs) tellEnd(context, { ...end, done: 0, refused: 1, code });
}
