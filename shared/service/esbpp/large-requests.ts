import { refuse } from '../../errors.ts';
import { BPP_REQUEST_START, readRequestStart } from '../../ifpp-draft1/bpp-request-scan.ts';
import { asRead, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Caller } from '../api/caller.ts';
import type { BppAnswer } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { listedWrite } from '../counts/listed.ts';
import { refusalOf } from '../esed1/batch-frames.ts';
import type { Body } from '../life/bodies.ts';
import { uploadInUse } from '../life/uploads.ts';
import { type JobRecord, jobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { openWorkRecord } from '../records/work.ts';
import { requireMayDraw } from './may-draw.ts';

/*
 * A request that is too large for a call is taken on by its head: who asks, of which order, and the SHA-256 of its octets, which
 * lie in the vault. Its record stands from then on, so that its requestId is taken and a repeat finds it. It is read and planned
 * as work of its own (request-plan.ts), and then a job like any other, or refused, as every repeat of its call is told then.
 */

/** A request of which the head was read. */
export interface LargeRequest {
  readonly caller: Caller;
  readonly body: Body;
  readonly upload: ObjectRef;
  readonly jobId: string;
  readonly requestId: string;
  readonly orderId: string;
}

/** The fields before the eUICC data and the items, which are all that a call reads of it. */
export async function readLargeHead(body: Body): Promise<Pick<LargeRequest, 'requestId' | 'orderId'>> {
  const length = Math.min(body.size, BPP_REQUEST_START);
  return readRequestStart(await body.stretch({ offset: 0, length }), body.size);
}

/** Items of a slice, in whole chunks: as many runs of positions are within what an item of the ledger has room for. */
export const MOST_OF_A_SLICE = 8_000;
/** Chunks of a slice: their offsets and hashes are as well. */
const CHUNKS_OF_A_SLICE = 512;

/** Chunks of a slice of the requests that are taken on now. */
function chunksOfSlice({ chunkSize, requestSlice }: Context['settings']): number {
  const items = Math.min(requestSlice, MOST_OF_A_SLICE);
  return Math.min(CHUNKS_OF_A_SLICE, Math.max(1, Math.floor(items / chunkSize)));
}

/** A job of a large request; `isKnown` where it came before, and is not to be read from what came now. */
interface TakenLarge {
  readonly job: JobRecord;
  readonly isKnown: boolean;
}

/** The job that the request is or will be. */
export async function takeLarge(context: Context, request: LargeRequest): Promise<TakenLarge> {
  const { ledger, now, settings } = context;
  const { caller, upload, jobId, requestId, orderId } = request;
  return await changeItems<TakenLarge>(ledger, async () => {
    const [item, open] = await ledger.getMany([ledgerKeys.job(jobId), ledgerKeys.openWork('request', jobId)]);
    const known = item && jobRecord.from(item);
    if (known !== undefined) requireSame(known, upload.sha256);
    if (known !== undefined && !(await isToBeReadAgain(context, known)))
      return unchanged({ job: known, isKnown: true });
    await requireMayDraw(context, caller, orderId);
    const createdAt = known?.createdAt ?? now();
    const job: JobRecord = {
      party: caller.identifier,
      requestId,
      bodyHash: upload.sha256,
      orderId,
      items: 0,
      chunkSize: known?.chunkSize ?? settings.chunkSize,
      request: upload,
      chunkOffsets: [],
      chunkHashes: new Uint8Array(0),
      runs: [],
      slices: known?.slices ?? { chunks: 0, ofSlice: chunksOfSlice(settings) },
      planning: {},
      refusedData: [],
      createdAt,
    };
    const work: Write = {
      put: ledgerKeys.openWork('request', jobId),
      attributes: openWorkRecord.to({ tasks: 1, since: now() }),
      when: 'absent',
    };
    const list = listedWrite('job', createdAt, jobId, { party: caller.identifier, name: requestId });
    return writes(
      [
        ...(await uploadInUse(context, caller.identifier, upload)),
        { put: ledgerKeys.job(jobId), attributes: jobRecord.to(job), when: asRead(item) },
        ...(open === undefined ? [work] : []),
        ...(known === undefined ? [list] : []),
      ],
      { job, isKnown: false },
    );
  });
}

/** Refuses another request under a requestId that was used: that of a large one is used once its head was taken. */
export function requireSame({ bodyHash, requestId }: JobRecord, sha256: string): void {
  if (bodyHash !== sha256)
    refuse('requestChanged', 'the requestId was used before with another request; use a new one', {
      subjectIdentifier: requestId,
    });
}

/**
 * Whether a request that came before is to be read from what came now: it was refused when other things were trusted, which is all
 * that it depends on besides its octets, or these are gone that nobody has read yet.
 */
async function isToBeReadAgain(
  { ledger, vault }: Context,
  { planning, slices, request }: JobRecord,
): Promise<boolean> {
  if (planning === undefined) return false;
  if (planning.refused !== undefined)
    return planning.refused.trustEpoch !== ((await ledger.get(ledgerKeys.trustEpoch))?.revision ?? 0);
  const isRead = slices === undefined || slices.chunks > 0;
  return !isRead && request !== undefined && (await vault.head(request.name)) === undefined;
}

/** What is answered as long as a request is no whole job: that it is being planned, or why it will never be one. */
export function planningAnswer({
  requestId,
  items,
  planning,
}: Pick<JobRecord, 'requestId' | 'items' | 'planning'>): BppAnswer {
  if (planning?.refused !== undefined) throw refusalOf(planning.refused);
  return { requestId, state: 'Pending', items, processed: 0, failed: [] };
}
