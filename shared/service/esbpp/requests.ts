import { createHash, randomUUID } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import { together, untilDone } from '../../concurrency.ts';
import { refuse } from '../../errors.ts';
import { type BppRequest, decodeBppRequest } from '../../ifpp-draft1/bpp-request.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Write } from '../../ledger/ledger.ts';
import { ownMember } from '../../own-member.ts';
import { rangeHashes } from '../../vault/range-hash.ts';
import { DamagedObject, type ObjectRef } from '../../vault/vault.ts';
import type { Caller } from '../api/caller.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { listedWrite } from '../counts/listed.ts';
import type { IngestService } from '../esed1/ingest.ts';
import { type Attempt, abandonAttempt, beginAttempt } from '../life/attempts.ts';
import { readWhole } from '../life/checked-reads.ts';
import { chunkCount, type JobRecord, jobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { iccidOwner, type OrderRecord, orderRecord, orderStateRecord } from '../records/order.ts';
import { jobIdOf } from '../records/transaction-id.ts';
import { openWorkRecord } from '../records/work.ts';
import { planDraw } from '../supply/supply.ts';
import { Turns } from '../turns.ts';

/** Refusals of forwarded eUICC data that a job keeps. */
const LISTED = 1_000;
/** Runs of positions that a job may have: only orders drawn by single ICCIDs come near. */
const MAX_RUNS = 8_000;

/** A request that was taken on, which is a job for ever. */
export interface AcceptedRequest {
  readonly jobId: string;
  readonly job: JobRecord;
}

/** A request as it came. */
export interface ReceivedRequest {
  readonly caller: Caller;
  readonly der: Bytes;
  readonly request: BppRequest;
  /** SHA-256 of it, hexadecimal. */
  readonly bodyHash: string;
  readonly jobId: string;
}

/** A request that may be taken on, with all that does not depend on what the supply has left. */
interface Submission extends Pick<JobRecord, 'bodyHash' | 'refusedData' | 'chunkHashes'> {
  /** The attempt that stored the request. */
  readonly written: Attempt;
  readonly jobId: string;
  readonly request: BppRequest;
  readonly stored: ObjectRef;
  /** The position that each item asks for. */
  readonly wishes: readonly (number | undefined)[];
  readonly drawer: {
    readonly maker: string;
    readonly share: number | undefined;
    readonly eids: readonly string[];
  };
}

/**
 * Takes requests for Bound Profile Packages on. A request becomes a job, known by party and requestId, which fixes for
 * every item what it gets; the same request again is the same job (I4).
 */
export class Requests {
  readonly #context: Context;
  readonly #ingest: IngestService;
  /** Requests of one process for one order, which would race for its supply. */
  readonly #turns = new Turns();

  constructor(context: Context, ingest: IngestService) {
    this.#context = context;
    this.#ingest = ingest;
  }

  receive(caller: Caller, der: Bytes): ReceivedRequest {
    const request = decodeBppRequest(der);
    const bodyHash = createHash('sha256').update(der).digest('hex');
    return { caller, der, request, bodyHash, jobId: this.#jobIdOf(caller, request.requestId) };
  }

  /**
   * Takes in the eUICC data that came with a new request. False where that is the business of `take`: the request is known,
   * or some of the data is refused.
   */
  async takeForwarded({ caller, jobId, request }: ReceivedRequest): Promise<boolean> {
    if (request.euiccData === undefined) return true;
    if ((await this.#context.ledger.get(ledgerKeys.job(jobId))) !== undefined) return false;
    await this.#requireMayDraw(caller, request.orderId);
    return (await this.#ingest.acceptForwarded(caller, request.euiccData)).length === 0;
  }

  async take(received: ReceivedRequest): Promise<AcceptedRequest> {
    const { caller, jobId, request, der, bodyHash } = received;
    const known = await this.#existing(jobId, bodyHash);
    const job = known ?? (await this.#submit(caller, jobId, request, der, bodyHash));
    if (known !== undefined) await this.#repair(jobId, known, der);
    return { jobId, job };
  }

  /** Stores a request again that is damaged, as long as something of it is still to be bound. */
  async #repair(jobId: string, { request }: JobRecord, der: Bytes): Promise<void> {
    const { ledger, vault } = this.#context;
    if (request === undefined || (await ledger.get(ledgerKeys.openWork('job', jobId))) === undefined) return;
    try {
      await readWhole(this.#context, request);
    } catch (error) {
      if (!(error instanceof DamagedObject)) throw error;
      const stored = await vault.put(request.name, der);
      await changeItem(ledger, ledgerKeys.job(jobId), (item) =>
        item === undefined
          ? unchanged()
          : becomes(jobRecord.to({ ...jobRecord.from(item), request: stored })),
      );
    }
  }

  /** One that was taken on before; undefined where the caller has none with this identifier. */
  async find(caller: Caller, requestId: string): Promise<AcceptedRequest | undefined> {
    const jobId = this.#jobIdOf(caller, requestId);
    const item = await this.#context.ledger.get(ledgerKeys.job(jobId));
    return item && { jobId, job: jobRecord.from(item) };
  }

  #jobIdOf(caller: Caller, requestId: string): string {
    return jobIdOf(this.#context.settings.deployment, caller.identifier, requestId);
  }

  async #existing(jobId: string, bodyHash: string): Promise<JobRecord | undefined> {
    const item = await this.#context.ledger.get(ledgerKeys.job(jobId));
    if (item === undefined) return undefined;
    const job = jobRecord.from(item);
    if (job.bodyHash !== bodyHash) {
      refuse('requestChanged', 'the requestId was used before with another request', {
        subjectIdentifier: job.requestId,
      });
    }
    return job;
  }

  async #submit(
    caller: Caller,
    jobId: string,
    request: BppRequest,
    der: Bytes,
    bodyHash: string,
  ): Promise<JobRecord> {
    const { vault } = this.#context;
    const { shares } = await this.#requireMayDraw(caller, request.orderId);
    const rejected =
      request.euiccData === undefined ? [] : await this.#ingest.acceptForwarded(caller, request.euiccData);
    const attempt = randomUUID();
    const name = objectNames.request(jobId, attempt);
    const [written, wishes] = await together(
      beginAttempt(this.#context, 'request', attempt, { objects: [name], holder: ledgerKeys.job(jobId) }),
      this.#wishes(request),
    );
    const submission: Submission = {
      jobId,
      request,
      wishes,
      drawer: {
        maker: caller.identifier,
        share: ownMember(shares, caller.identifier),
        eids: request.items.map(({ eid }) => eid),
      },
      bodyHash,
      stored: await vault.put(name, der),
      written,
      chunkHashes: rangeHashes(der, this.#chunkOffsets(request)),
      refusedData: rejected
        .slice(0, LISTED)
        .map(({ eid, code, message }) => ({ eid, refusal: code, message })),
    };
    // not `changeItems`: requests of this process take turns, so that only another process can be faster
    const created = await untilDone(
      async () => {
        const job = await this.#turns.take(request.orderId, () => this.#create(submission));
        return job && { value: job };
      },
      () => refuse('providerUnavailable', 'the order is in great demand; send the same request again'),
    );
    if (created.request?.name !== name) await abandonAttempt(this.#context, written);
    return created;
  }

  /** Positions, job and open work come into being in one transaction; undefined if somebody else was faster. */
  async #create(submission: Submission): Promise<JobRecord | undefined> {
    const { ledger } = this.#context;
    const { jobId, request, wishes, drawer, bodyHash } = submission;
    const known = await this.#existing(jobId, bodyHash);
    if (known !== undefined) return known;
    const draw = await planDraw(this.#context, request.orderId, wishes, drawer);
    if (draw.runs.length > MAX_RUNS) refuse('tooLarge', `a request can name at most some ${MAX_RUNS} ICCIDs`);
    const job = this.#jobOf(submission, draw.runs);
    const { requestId, orderId } = request;
    const about = { request: requestId, order: orderId, job: jobId, items: job.items, body: bodyHash };
    const line = { event: 'request.taken', by: drawer.maker, about } as const;
    const writes: Write[] = [
      ...draw.writes,
      submission.written.settled,
      { put: ledgerKeys.job(jobId), attributes: jobRecord.to(job), when: 'absent' },
      {
        put: ledgerKeys.openWork('job', jobId),
        attributes: openWorkRecord.to({ tasks: chunkCount(job), since: job.createdAt }),
        when: 'absent',
      },
      listedWrite('job', job.createdAt, jobId, { party: drawer.maker, name: requestId }),
      auditWrite(line, `job-${jobId}`, job.createdAt),
    ];
    const { done } = await ledger.transact(writes, { contended: true });
    return done ? job : undefined;
  }

  #jobOf(submission: Submission, runs: JobRecord['runs']): JobRecord {
    const { request, drawer, bodyHash, stored, refusedData, chunkHashes } = submission;
    const { chunkSize } = this.#context.settings;
    return {
      party: drawer.maker,
      requestId: request.requestId,
      bodyHash,
      orderId: request.orderId,
      items: request.items.length,
      chunkSize,
      request: stored,
      chunkOffsets: this.#chunkOffsets(request),
      chunkHashes,
      runs,
      refusedData,
      createdAt: this.#context.now(),
    };
  }

  /** Where the items of each chunk begin, and where the last ones end. */
  #chunkOffsets({ itemOffsets, itemsEnd }: BppRequest): number[] {
    const { chunkSize } = this.#context.settings;
    return [...itemOffsets.filter((_, i) => i % chunkSize === 0), itemsEnd];
  }

  /** An order that the caller may not draw from is as good as none. */
  async #requireMayDraw(caller: Caller, orderId: string): Promise<OrderRecord> {
    const [order, state] = await this.#context.ledger.getMany([
      ledgerKeys.order(orderId),
      ledgerKeys.orderState(orderId),
    ]);
    const record = order && orderRecord.from(order);
    if (record === undefined || state === undefined || !record.requesterDms.includes(caller.identifier)) {
      refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
    }
    const { state: now } = orderStateRecord.from(state);
    if (now === 'Preparing')
      refuse('profileTypeExhausted', 'the profiles of the order are still being prepared');
    if (now !== 'Open') refuse('orderExpired', `the order is ${now}`, { subjectIdentifier: orderId });
    return record;
  }

  /** The position that each item asks for by ICCID; −1, which no supply has, for one that is not of this order. */
  async #wishes({ orderId, items }: BppRequest): Promise<(number | undefined)[]> {
    const named = items.flatMap(({ iccid }) => iccid ?? []);
    const owners = await this.#context.ledger.getMany(named.map((iccid) => ledgerKeys.iccid(iccid)));
    const positions = new Map(
      owners.map((item, i) => {
        const owner = item && iccidOwner.from(item);
        return [named[i]!, owner?.orderId === orderId ? owner.position : -1];
      }),
    );
    return items.map(({ iccid }) => (iccid === undefined ? undefined : positions.get(iccid)));
  }
}
