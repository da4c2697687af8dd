import { randomUUID } from 'node:crypto';
import { type Bytes, concat, equal, fromHex } from '../../codec/bytes.ts';
import { checkEid } from '../../codec/eid.ts';
import { mapConcurrently } from '../../concurrency.ts';
import { suiteByName } from '../../crypto/suite.ts';
import { Fault, invariant, Refusal, refuse } from '../../errors.ts';
import { requireEligible } from '../../euicc/eligibility.ts';
import { encodeBppItem } from '../../ifpp-draft1/bpp-batch.ts';
import { decodeRequestItems, type RequestItem } from '../../ifpp-draft1/bpp-request.ts';
import type { UseOptions } from '../../keys/provider.ts';
import type { SigningKey } from '../../keys/registry.ts';
import type { Write } from '../../ledger/ledger.ts';
import { bindProfile } from '../../profile/bind.ts';
import { wipePpk } from '../../profile/ppk.ts';
import { decodeEuiccInfo2, type EuiccInfo2 } from '../../rsp/euicc-info2.ts';
import { STATUS_CODES, type StatusName } from '../../status-codes.ts';
import type { KeysSlowed } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { type Claim, claim, standings } from '../esed1/claims.ts';
import { type EuiccRecord, euiccRecord, itemName } from '../records/euicc.ts';
import {
  type ChunkRecord,
  chunkCount,
  chunkRecord,
  type ItemOutcome,
  type JobRecord,
  jobChains,
  jobRecord,
  positionOf,
} from '../records/job.ts';
import { blockOf, ledgerKeys } from '../records/keys.ts';
import { type OrderRecord, orderRecord, orderStateRecord } from '../records/order.ts';
import { transactionId } from '../records/transaction-id.ts';
import { viewBlock } from '../supply/draws.ts';
import { positionOfIccid } from '../supply/own-order.ts';
import { PackReader } from '../supply/packs.ts';
import { readTies } from '../supply/ties.ts';
import type { DpBinding, Trust, TrustView } from '../trust/trust.ts';
import { type ChunkAnswer, commitChunk, finishChunk } from './commit.ts';

/**
 * Binds the chunk of a job: claims, binds, writes a part of its own, and commits it in one conditional write. The
 * order of steps is what makes it safe to stop anywhere and run again, also twice at once:
 *
 * 1. what each item gets (position, ICCID, transaction ID) is fixed by job and index;
 * 2. all checks come before anything is spent, and a claim names the item, so a repeat finds its own;
 * 3. the part is read by nobody until the commit names it, and only the first commit counts;
 * 4. the commit holds only if order and trust still are what the checks saw; otherwise the chunk starts over;
 * 5. destroying PPKs comes after the commit and may be repeated; only then can the chunk be read.
 */
export async function bindChunk(
  context: Context,
  trust: Trust,
  jobId: string,
  chunk: number,
): Promise<ChunkRecord> {
  const job = await loadJob(context, jobId);
  invariant(chunk >= 0 && chunk < chunkCount(job), `job ${jobId} has no chunk ${chunk}`);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const committed = await context.ledger.get(ledgerKeys.chunk(jobId, chunk));
    if (committed !== undefined) {
      return await finishChunk(context, job, jobId, chunk, chunkRecord.from(committed));
    }
    const answer = await new ChunkAttempt(context, jobId, job, chunk).run(await trust.current());
    if (answer === undefined) continue;
    const record = await commitChunk(context, job, jobId, chunk, answer);
    if (record !== undefined) return await finishChunk(context, job, jobId, chunk, record);
  }
  throw new Fault('ledger', `chunk ${chunk} of job ${jobId} found no quiet moment to commit`, {
    retryable: true,
  });
}

/** Order and trust change seldom; an attempt that always meets a change has met a fault. */
const ATTEMPTS = 12;

export async function loadJob({ ledger }: Context, jobId: string): Promise<JobRecord> {
  const item = await ledger.get(ledgerKeys.job(jobId));
  invariant(item !== undefined, `there is no job ${jobId}`);
  return jobRecord.from(item);
}

/** An item that passed every check and holds its claim. */
interface Ready {
  readonly index: number;
  readonly item: RequestItem;
  readonly position: number;
  readonly euicc: EuiccRecord;
  readonly key: Claim['key'];
  readonly dp: DpBinding;
}

interface RefusedNow {
  readonly index: number;
  readonly item: RequestItem;
  readonly refusal: StatusName;
  readonly message: string;
}

class ChunkAttempt {
  readonly #context: Context;
  readonly #jobId: string;
  readonly #job: JobRecord;
  readonly #chunk: number;
  readonly #packs: PackReader;
  /** Positions kept for one eUICC each. */
  #tied: ReadonlySet<number> = new Set();
  readonly #use: UseOptions;
  #slowed: KeysSlowed = { times: 0, waitedMs: 0 };
  readonly #infos = new Map<string, Promise<EuiccInfo2>>();
  readonly #refusedData: ReadonlyMap<string, JobRecord['refusedData'][number]>;

  constructor(context: Context, jobId: string, job: JobRecord, chunk: number) {
    this.#context = context;
    this.#jobId = jobId;
    this.#job = job;
    this.#chunk = chunk;
    this.#packs = new PackReader(context, job.orderId);
    this.#use = {
      // somebody waits for the answer of a job that is bound within its call
      priority: chunkCount(job) === 1 ? 'interactive' : 'bulk',
      onSlowed: ({ wait }) => {
        const { times, waitedMs } = this.#slowed;
        this.#slowed = { times: times + 1, waitedMs: waitedMs + wait };
      },
    };
    this.#refusedData = new Map(job.refusedData.map((data) => [data.eid, data]));
  }

  /** The chunk's answer, ready to be committed; undefined if another attempt has moved on and this one must look again. */
  async run(view: TrustView): Promise<ChunkAnswer | undefined> {
    const { ledger } = this.#context;
    const [orderItem, stateItem] = await ledger.getMany([
      ledgerKeys.order(this.#job.orderId),
      ledgerKeys.orderState(this.#job.orderId),
    ]);
    invariant(orderItem && stateItem, `order ${this.#job.orderId} has no record`);
    const order = orderRecord.from(orderItem);
    const open = orderStateRecord.from(stateItem).state === 'Open';

    const items = await this.#items();
    this.#tied = new Set((await readTies(ledger, this.#job.orderId)).map(({ position }) => position));
    const settled = open
      ? await this.#claimAll(items, order, view)
      : items.map(({ index, item }) =>
          refusedNow(index, item, new Refusal('orderExpired', 'the order is not open')),
        );
    const bound = await this.#bindAll(settled);
    if (bound === undefined) return undefined;

    const returned = settled
      .filter((one) => !('key' in one))
      .flatMap(({ index }) => positionOf(this.#job, index) ?? []);
    const body = concat(...bound.elements);
    const part = await this.#context.vault.put(`parts/${this.#jobId}/${this.#chunk}-${randomUUID()}`, body);
    return {
      part,
      outcomes: bound.outcomes,
      slowed: this.#slowed,
      offsets: offsetsOf(bound.elements),
      trustEpoch: view.epoch,
      orderState: { key: stateItem, revision: stateItem.revision },
      returned,
      returnedOfShare:
        order.shares?.[this.#job.party] === undefined
          ? 0
          : returned.filter((position) => !this.#tied.has(position)).length,
    };
  }

  async #items(): Promise<{ index: number; item: RequestItem }[]> {
    const [start, end] = this.#job.chunkOffsets.slice(this.#chunk, this.#chunk + 2) as [number, number];
    const octets = await this.#context.vault.get(this.#job.request, { offset: start, length: end - start });
    const first = this.#chunk * this.#job.chunkSize;
    return decodeRequestItems(octets, start).map((item, i) => ({ index: first + i, item }));
  }

  /** Checks each item and takes its key; one conditional write per eUICC, repeated where somebody else was faster. */
  async #claimAll(
    items: readonly { index: number; item: RequestItem }[],
    order: OrderRecord,
    view: TrustView,
  ): Promise<(Ready | RefusedNow)[]> {
    const { ledger } = this.#context;
    const settled = new Map<number, Ready | RefusedNow>();
    for (const { index, item } of items)
      if (item.malformed !== undefined) settled.set(index, refusedNow(index, item, item.malformed));
    const readable = items.filter(({ item }) => item.malformed === undefined);
    let open = [...Map.groupBy(readable, ({ item }) => item.eid)];
    for (let round = 0; open.length > 0; round++) {
      if (round === ATTEMPTS)
        throw new Fault('ledger', 'eUICC records change too fast to be claimed', { retryable: true });
      const standingOf = standings(this.#context);
      const stored = await ledger.getMany(open.map(([eid]) => ledgerKeys.euicc(eid)));
      const certificates = await ledger.getMany(open.map(([eid]) => ledgerKeys.euiccCertificate(eid)));
      const writes: Write[] = [];
      const waiting: typeof open = [];
      for (const [i, [eid, inEuicc]] of open.entries()) {
        const before = stored[i];
        let euicc = before && euiccRecord.from(before);
        const certificate = certificates[i]?.attributes.der as Bytes | undefined;
        for (const { index, item } of inEuicc) {
          try {
            const ready = await this.#claimOne(index, item, euicc, certificate, order, view, standingOf);
            euicc = ready.euicc;
            settled.set(index, ready);
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            settled.set(index, refusedNow(index, item, error));
          }
        }
        if (before !== undefined && euicc !== undefined && euicc !== euiccRecord.from(before)) {
          writes.push({
            put: before,
            attributes: euiccRecord.to(euicc),
            when: { revision: before.revision },
          });
          waiting.push([eid, inEuicc]);
        }
      }
      const outcomes = await ledger.writeMany(writes);
      open = waiting.filter((_, i) => !outcomes[i]!.done);
    }
    return items.map(({ index }) => settled.get(index)!);
  }

  /** Every rule before a profile or a key is spent (DPFF09, DPFF10, I6, I7). */
  async #claimOne(
    index: number,
    item: RequestItem,
    euicc: EuiccRecord | undefined,
    certificate: Bytes | undefined,
    order: OrderRecord,
    view: TrustView,
    standingOf: ReturnType<typeof standings>,
  ): Promise<Ready> {
    const eid = checkEid(item.eid);
    const data = this.#refusedData.get(eid);
    if (data !== undefined) refuse(data.refusal, data.message, { subjectIdentifier: eid });
    if (euicc === undefined || certificate === undefined) {
      refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
    }
    if (!euicc.deviceMakers.includes(this.#job.party)) {
      refuse('eidBoundElsewhere', 'the EUM has not named the caller for this EID', {
        subjectIdentifier: eid,
      });
    }
    const position = positionOf(this.#job, index);
    if (position === undefined) {
      if (item.iccid === undefined)
        refuse('profileTypeExhausted', 'the order has no profile left for this device manufacturer');
      return await this.#refuseIccid(item.iccid, eid);
    }
    const eum = await view.requireTrusted(euicc, certificate);
    const info = await this.#info(euicc.euiccInfo2);
    const suite = suiteByName(euicc.suite);
    requireEligible(order.eligibility, { eid, ciPkId: euicc.ciPkId, eum: eum.organization, info });
    const dp = view.dpBindingFor(suite, info.euiccCiPKIdListForVerification);
    // a replacement comes beside the profile that it replaces
    const additional = item.additional || this.#tied.has(position);
    const wanted = { orderId: this.#job.orderId, keyId: item.keyId, additional };
    const taken = await claim(itemName(this.#jobId, index), wanted, euicc, standingOf);
    return { index, item, position, euicc: taken.euicc, key: taken.key, dp };
  }

  /** Why the job could not take the profile that an item names. */
  async #refuseIccid(iccid: string, eid: string): Promise<never> {
    const { orderId } = this.#job;
    const about = { subjectIdentifier: iccid };
    const position = await positionOfIccid(this.#context, orderId, iccid);
    const bound = (await viewBlock(this.#context, orderId, blockOf(position))).bound.get(position);
    if (bound?.outcome.eid === eid)
      refuse(
        'noNewBinding',
        'the profile is bound to this eUICC; repeat the request that it was bound in',
        about,
      );
    if (bound !== undefined) refuse('iccidOtherEid', 'the profile is bound to another eUICC', about);
    return refuse('iccidInUse', 'the profile is taken by another item, or was taken out of the order', about);
  }

  #info(hash: string): Promise<EuiccInfo2> {
    let info = this.#infos.get(hash);
    if (info === undefined) {
      info = this.#context.ledger.get(ledgerKeys.euiccInfo2(hash)).then((item) => {
        invariant(item !== undefined, 'an eUICC names an EuiccInfo2 that is not stored');
        return decodeEuiccInfo2(item.attributes.der as Bytes);
      });
      this.#infos.set(hash, info);
    }
    return info;
  }

  async #bindAll(
    settled: readonly (Ready | RefusedNow)[],
  ): Promise<{ elements: Bytes[]; outcomes: ItemOutcome[] } | undefined> {
    const ready = settled.filter((one) => 'key' in one);
    const profiles = await this.#packs.read(
      ready.map(({ position }) => position),
      this.#use,
    );
    try {
      // PPKs go after a commit or a cancellation: somebody was faster, and the next look will tell who
      if ([...profiles.values()].some(({ ppk }) => ppk === undefined)) return undefined;
      const chains = await this.#chainIndexes(ready.map(({ dp }) => dp));
      const results = await mapConcurrently(settled, this.#context.settings.signConcurrency, async (one) => {
        if (!('key' in one)) return { element: refusedElement(one), outcome: refusedOutcome(one) };
        const profile = profiles.get(one.position)!;
        const signer = await this.#signerFor(one.dp);
        const id = transactionId(this.#jobId, one.index);
        const bpp = await bindProfile({
          suite: suiteByName(one.euicc.suite),
          eid: one.item.eid,
          euiccOtpk: one.key.otPk,
          metadataDer: profile.entry.metadata,
          transactionId: fromHex(id),
          hostId: this.#context.settings.hostId,
          payload: { mode: 'ppk', segments: profile.entry.segments, ppk: profile.ppk! },
          sign: async (digest) => signer.signSync?.(digest) ?? (await signer.sign(digest, this.#use)),
        });
        const { itemId, eid } = one.item;
        const common = { keyId: one.key.keyId, iccid: profile.iccid, chain: chains.get(one.dp)! };
        return {
          element: encodeBppItem({
            itemId,
            eid,
            outcome: { kind: 'bound', transactionId: id, ...common, bpp },
          }),
          outcome: {
            itemId,
            eid,
            ...common,
            position: one.position,
            eumChain: one.euicc.eumChain,
            suite: one.euicc.suite,
            x: Uint8Array.from(one.key.otPk.subarray(1, 33)),
          },
        };
      });
      return {
        elements: results.map(({ element }) => element),
        outcomes: results.map(({ outcome }) => outcome),
      };
    } finally {
      for (const { ppk } of profiles.values()) if (ppk !== undefined) wipePpk(ppk);
    }
  }

  /**
   * The key of a certificate. One that is out of reach, or that is another key, is a retryable Fault: the items keep
   * their claims and wait, since what is wrong is on our side and can be mended.
   */
  async #signerFor({ keyUri, chain }: DpBinding): Promise<SigningKey> {
    const signer = await this.#context.keyRing.binding(keyUri);
    if (!equal(signer.publicKey, chain[0]!.spki))
      throw new Fault('keyProvider', `the key ${keyUri} is not the key of its certificate`, {
        retryable: true,
      });
    return signer;
  }

  /** The place of each certificate chain in the job's list, which only ever grows. */
  async #chainIndexes(bindings: readonly DpBinding[]): Promise<Map<DpBinding, number>> {
    const { ledger } = this.#context;
    const key = ledgerKeys.jobChains(this.#jobId);
    for (;;) {
      const item = await ledger.get(key);
      const chains = item === undefined ? [] : [...jobChains.from(item).chains];
      const before = chains.length;
      const indexes = new Map<DpBinding, number>();
      for (const dp of new Set(bindings)) {
        let index = chains.findIndex(({ certificates }) => equal(certificates[0]!, dp.chain[0]!.raw));
        if (index < 0) {
          const certificates = dp.chain.map(({ raw }) => raw);
          index = chains.push({ ciPkId: dp.ciPkId, certificates, smdpOid: dp.smdpOid }) - 1;
        }
        indexes.set(dp, index);
      }
      if (chains.length === before) return indexes;
      const when = item === undefined ? 'absent' : { revision: item.revision };
      if ((await ledger.write({ put: key, attributes: jobChains.to({ chains }), when })).done) return indexes;
    }
  }
}

function refusedNow(index: number, item: RequestItem, { code, message }: Refusal): RefusedNow {
  return { index, item, refusal: code, message };
}

function refusedElement({ item, refusal, message }: RefusedNow): Bytes {
  const { subject, reason } = STATUS_CODES[refusal];
  const outcome = { kind: 'failed', subjectCode: subject, reasonCode: reason, message } as const;
  return encodeBppItem({ itemId: item.itemId, eid: item.eid, outcome });
}

function refusedOutcome({ item, refusal, message }: RefusedNow): ItemOutcome {
  return { itemId: item.itemId, eid: item.eid, refusal, message };
}

/** Where each element starts when they stand one after the other, and where the last one ends. */
function offsetsOf(elements: readonly Bytes[]): number[] {
  const offsets = [0];
  for (const { length } of elements) offsets.push(offsets.at(-1)! + length);
  return offsets;
}
