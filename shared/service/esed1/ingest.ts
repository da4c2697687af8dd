import { createHash, randomUUID } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import { splitElements } from '../../codec/tlv.ts';
import { requireAllowed, type Suite, suiteByOid } from '../../crypto/suite.ts';
import { refuse } from '../../errors.ts';
import type { EuiccDataHead } from '../../ifpp-draft1/euicc-data-batch.ts';
import {
  EUICC_DATA_START,
  readEuiccDataStart,
  scanEuiccDataBatch,
} from '../../ifpp-draft1/euicc-data-scan.ts';
import { asRead } from '../../ledger/change.ts';
import type { Item, Write } from '../../ledger/ledger.ts';
import type { ByteRange, ObjectRef } from '../../vault/vault.ts';
import { warningsMember } from '../../warnings.ts';
import type { Caller } from '../api/caller.ts';
import type { CloseKeysAnswer, EuiccDataAnswer, Ingest, KeyToClose } from '../api/esed1.ts';
import type { Context } from '../context.ts';
import { listedWrite } from '../counts/listed.ts';
import { abandonAttempt, beginAttempt } from '../life/attempts.ts';
import { type Body, streamOf } from '../life/bodies.ts';
import { uploadInUse } from '../life/uploads.ts';
import { type IngestRecord, ingestRecord, type RejectedEntry } from '../records/ingest.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { openWorkRecord } from '../records/work.ts';
import { storeEumChain } from '../trust/eum-chains.ts';
import type { Trust } from '../trust/trust.ts';
import type { TrustedEum } from '../trust/trust-view.ts';
import {
  type BatchStart,
  readBatchStart,
  readFrame,
  refusalOf,
  requireSpeaksFor,
  workOn,
} from './batch-frames.ts';
import { closeKeys } from './close-keys.ts';
import {
  answered,
  finishIngest,
  ingestEntries,
  ingestIdOf,
  ingestProgress,
  ingestSlice,
  LISTED,
  loadIngest,
  rejectedEntries,
  SLICE,
} from './euicc-batches.ts';
import type { EntrySource } from './euicc-store.ts';
import { EumDataSignature } from './eum-data-signature.ts';

/** Octets of a batch that is verified within the call; larger ones go to the dispatcher. Some 1,400 entries. */
const WITHIN_CALL = 1024 * 1024;

/** eUICC data of a large request that was read and whose slices are still to be verified; without the object that it will lie in. */
export type ForwardedData = Omit<IngestRecord, 'batch'> & Required<Pick<IngestRecord, 'frame'>>;

/**
 * eUICC data (DPFF10): path A from an EUM by Esed1, path B from a device manufacturer inside its BppRequest. Entries
 * are accepted or refused one by one.
 *
 * Path A takes batches of a million: the batch is an object of the vault, read once as a whole (batch-frames.ts) and then verified
 * slice by slice (euicc-batches.ts), each slice with a record of its own. Whoever stops in the middle goes on there.
 */
export class IngestService implements Ingest {
  readonly #context: Context;
  readonly #trust: Trust;

  constructor(context: Context, trust: Trust) {
    this.#context = context;
    this.#trust = trust;
  }

  /**
   * What can be told from the head of a batch is told within the call: its form, its EUM, and who may send it. A small batch is
   * read and verified within it too; a large one is taken on, and the same call again tells how far it is, or why it was refused.
   */
  async registerEuiccData(caller: Caller, batch: Bytes | ObjectRef): Promise<EuiccDataAnswer> {
    const head = await readBatchStart(this.#context.vault, batch);
    const id = ingestIdOf(caller.identifier, head.batchId);
    const sent = batch instanceof Uint8Array ? sha256(batch) : batch.sha256;
    const before = await this.#context.ledger.get(ledgerKeys.ingest(id));
    const stands = await this.#standing(before, sent);
    const ingest = stands ?? (await this.#taken(caller, id, head, batch, before));
    if (ingest.batch.sha256 !== sent)
      refuse('requestChanged', 'the batchId was used before with another content', {
        subjectIdentifier: head.batchId,
      });
    if (ingest.refused !== undefined) throw refusalOf(ingest.refused);
    if (ingest.done === undefined) await this.#goOn(id, ingest);
    return await this.#answer(id);
  }

  /**
   * The batch as it was taken on before. One that was refused leaves its batchId to another content, and is read again once
   * other things are trusted than were then: its octets are the same, and what is trusted is all else that it depends on.
   */
  async #standing(before: Item | undefined, sent: string): Promise<IngestRecord | undefined> {
    if (before === undefined) return undefined;
    const ingest = ingestRecord.from(before);
    if (ingest.refused === undefined) return ingest;
    const { epoch } = await this.#trust.current();
    return ingest.batch.sha256 === sent && ingest.refused.trustEpoch === epoch ? ingest : undefined;
  }

  async #goOn(id: string, ingest: IngestRecord): Promise<void> {
    const work = workOn(id, ingest);
    if (work.kind === 'frames' || ingest.batch.size > WITHIN_CALL)
      return await this.#context.dispatcher.submit(work);
    for (let slice = 0; slice < work.tasks; slice++) await ingestSlice(this.#context, this.#trust, id, slice);
    await finishIngest(this.#context, id);
  }

  /** All refusals of a batch of this caller, where there are more than an answer lists. */
  async resultOf(caller: Caller, batchId: string): Promise<ObjectRef> {
    const item = await this.#context.ledger.get(ledgerKeys.ingest(ingestIdOf(caller.identifier, batchId)));
    return (
      (item && ingestRecord.from(item).done?.result) ??
      refuse('requestUnknown', 'the caller has no batch with a result object under this identifier', {
        subjectIdentifier: batchId,
      })
    );
  }

  /**
   * Path B: the data stands within a request of this device manufacturer. Its word alone entitles itself, and only to
   * EIDs that nobody else was entitled to before; a list that the EUM signed counts as the EUM's own. What is refused comes back,
   * as much as an answer lists.
   */
  async acceptForwarded(
    caller: Pick<Caller, 'identifier'>,
    request: Body,
    where: ByteRange,
  ): Promise<readonly RejectedEntry[]> {
    const { eum, rules, frame } = await this.#forwarded(caller, request, where);
    const duplicates = new Set(frame.duplicates);
    const rejected: RejectedEntry[] = [];
    let index = 0;
    for await (const octets of request.stretches(frame.sliceOffsets)) {
      const slice = splitElements(octets).map((element) => ({ index: index++, element }));
      const refused = await ingestEntries(this.#context, eum, rules, slice, (at) => duplicates.has(at));
      rejected.push(...refused.slice(0, LISTED - rejected.length));
    }
    return rejected;
  }

  /**
   * The same of a request that is too large for a call: what is to be known of the data before its slices are verified, each by
   * itself as those of path A (euicc-batches.ts), where it lies in the request that is stored.
   */
  async readForwarded(
    caller: Pick<Caller, 'identifier'>,
    request: Body,
    where: ByteRange,
  ): Promise<ForwardedData> {
    const { batchId, rules, frame } = await this.#forwarded(caller, request, where);
    const { deviceMakers, entitlement, ciPkId, euiccInfo2, ...others } = rules;
    const { entries, sliceOffsets, duplicates } = frame;
    return {
      party: caller.identifier,
      batchId,
      ...others,
      ciPkId: Uint8Array.from(ciPkId),
      euiccInfo2: Uint8Array.from(euiccInfo2),
      takenAt: this.#context.now(),
      forwarded: { entitlement },
      frame: {
        deviceMakers,
        entries,
        sliceSize: SLICE,
        sliceOffsets,
        sliceHashes: await request.hashes(sliceOffsets),
        duplicates,
      },
    };
  }

  /** Reads data that was forwarded to its end, with flat memory; offsets are those of the request. */
  async #forwarded({ identifier }: Pick<Caller, 'identifier'>, request: Body, where: ByteRange) {
    const length = Math.min(where.length, EUICC_DATA_START);
    const head = readEuiccDataStart(await request.stretch({ ...where, length }), where.length);
    const eum = await this.#trustedEum(head);
    const signature = new EumDataSignature(eum);
    const frame = await scanEuiccDataBatch(streamOf(request, where), head.entriesAt, SLICE, (piece) =>
      signature.update(piece),
    );
    signature.check(frame.eumDataSignature);
    const signedList = frame.eumDataSignature === undefined ? undefined : frame.deviceManufacturers;
    if (signedList !== undefined && !signedList.includes(identifier))
      refuse('eidBoundElsewhere', 'the EUM has named other device manufacturers for these eUICCs');
    const entitlement: EntrySource['entitlement'] = signedList === undefined ? 'keep' : 'replace';
    const rules = {
      suite: this.#suiteOf(head).name,
      ciPkId: head.ciPkId,
      eumChain: await storeEumChain(this.#context.ledger, head.eumChain, head.ciPkId),
      euiccInfo2: head.euiccInfo2,
      deviceMakers: signedList ?? [identifier],
      entitlement,
    };
    const sliceOffsets = frame.sliceOffsets.map((offset) => where.offset + offset);
    return { batchId: head.batchId, eum, rules, frame: { ...frame, sliceOffsets } };
  }

  async closeKeys(caller: Caller, items: readonly KeyToClose[]): Promise<CloseKeysAnswer> {
    return await closeKeys(this.#context, this.#trust, caller, items);
  }

  /** Takes on a batch that is an object already, or puts one that came inline into the vault first. */
  async #taken(
    caller: Caller,
    id: string,
    head: BatchStart,
    batch: Bytes | ObjectRef,
    before: Item | undefined,
  ): Promise<IngestRecord> {
    if (!(batch instanceof Uint8Array)) {
      const upload = await uploadInUse(this.#context, caller.identifier, batch);
      return await this.#take(caller, id, head, batch, { alongside: upload, before });
    }
    const attempt = randomUUID();
    const name = objectNames.euiccData(id, attempt);
    const holder = ledgerKeys.ingest(id);
    const written = await beginAttempt(this.#context, 'batch', attempt, { objects: [name], holder });
    let ingest: IngestRecord | undefined;
    try {
      const ref = await this.#context.vault.put(name, batch);
      ingest = await this.#take(caller, id, head, ref, { alongside: [written.settled], before });
      return ingest;
    } finally {
      if (ingest?.batch.name !== name) await abandonAttempt(this.#context, written);
    }
  }

  /** Takes the batch on, in place of one that was refused `before`: who may send it, and the open work, in one transaction. */
  async #take(
    caller: Caller,
    id: string,
    head: BatchStart,
    batch: ObjectRef,
    { alongside, before }: { readonly alongside: readonly Write[]; readonly before: Item | undefined },
  ): Promise<IngestRecord> {
    const { ledger, now } = this.#context;
    const eum = await this.#trustedEum(head);
    requireSpeaksFor(eum, caller.identifier);
    const isLarge = batch.size > WITHIN_CALL;
    const ingest: IngestRecord = {
      party: caller.identifier,
      batchId: head.batchId,
      batch,
      suite: this.#suiteOf(head).name,
      ciPkId: Uint8Array.from(head.ciPkId),
      eumChain: await storeEumChain(ledger, head.eumChain, head.ciPkId),
      euiccInfo2: Uint8Array.from(head.euiccInfo2),
      // one that comes in place of another stands where that stood in the lists
      takenAt: before === undefined ? now() : ingestRecord.from(before).takenAt,
      ...(!isLarge && { frame: await readFrame(this.#context, eum, batch, head.entriesAt) }),
    };
    const work = workOn(id, ingest);
    const { done } = await ledger.transact([
      ...alongside,
      { put: ledgerKeys.ingest(id), attributes: ingestRecord.to(ingest), when: asRead(before) },
      {
        put: ledgerKeys.openWork(work.kind, id),
        attributes: openWorkRecord.to({ tasks: work.tasks, since: now() }),
        when: 'absent',
      },
      ...(before === undefined
        ? [listedWrite('ingest', ingest.takenAt, id, { party: caller.identifier, name: head.batchId })]
        : []),
    ]);
    return done ? ingest : await loadIngest(ledger, id);
  }

  async #answer(id: string): Promise<EuiccDataAnswer> {
    const { ledger } = this.#context;
    const { batchId, frame, refused, done } = await loadIngest(ledger, id);
    // found by the work that this call has just set going
    if (refused !== undefined) throw refusalOf(refused);
    if (frame === undefined)
      return { batchId, state: 'Pending', accepted: 0, rejected: [], rejectedCount: 0 };
    const common = { batchId, entries: frame.entries, ...warningsMember(frame.warnings) };
    if (done === undefined) {
      const { accepted, rejected } = await ingestProgress(ledger, id);
      return { ...common, state: 'Pending', accepted, rejected: [], rejectedCount: rejected };
    }
    const rejected: EuiccDataAnswer['rejected'][number][] = [];
    if (done.rejected > 0) {
      for await (const entry of rejectedEntries(ledger, id)) {
        if (rejected.push(answered(entry)) === LISTED) break;
      }
    }
    return { ...common, state: 'Done', accepted: done.accepted, rejected, rejectedCount: done.rejected };
  }

  #suiteOf({ curve }: Pick<EuiccDataHead, 'curve'>): Suite {
    const suite = suiteByOid(curve);
    requireAllowed(suite, this.#context.settings.draftSuites);
    return suite;
  }

  async #trustedEum(head: EuiccDataHead): Promise<TrustedEum> {
    const view = await this.#trust.current();
    const eum = view.verifyEum(head.eumChain, head.ciPkId);
    if (this.#suiteOf(head).curve !== eum.verified.curve)
      refuse('securityConfiguration', 'the curve of the batch is not the curve of its EUM chain');
    return eum;
  }
}

const sha256 = (octets: Bytes) => createHash('sha256').update(octets).digest('hex');
