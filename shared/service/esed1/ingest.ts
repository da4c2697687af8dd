import { createHash, randomUUID } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import type { PublicKey, Verifier } from '../../crypto/curves.ts';
import { fromSpki } from '../../crypto/ec-key-forms.ts';
import { requireAllowed, type Suite, suiteByOid } from '../../crypto/suite.ts';
import { refuse } from '../../errors.ts';
import {
  decodeEuiccDataBatch,
  type EuiccDataBatch,
  type EuiccDataHead,
} from '../../ifpp-draft1/euicc-data-batch.ts';
import {
  EUICC_DATA_START,
  readEuiccDataStart,
  scanEuiccDataBatch,
} from '../../ifpp-draft1/euicc-data-scan.ts';
import type { Write } from '../../ledger/ledger.ts';
import { rangeHashesOf } from '../../vault/range-hash.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import { type Warning, warningsMember } from '../../warnings.ts';
import type { Caller } from '../api/caller.ts';
import type { CloseKeysAnswer, EuiccDataAnswer, Ingest, KeyToClose } from '../api/esed1.ts';
import type { Context } from '../context.ts';
import { listedWrite } from '../counts/listed.ts';
import { abandonAttempt, beginAttempt } from '../life/attempts.ts';
import { uploadInUse } from '../life/uploads.ts';
import { unknownMakers } from '../parties/unknown-parties.ts';
import { type IngestRecord, ingestRecord, ingestSliceCount, type RejectedEntry } from '../records/ingest.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { openWorkRecord } from '../records/work.ts';
import { storeEumChain } from '../trust/eum-chains.ts';
import type { Trust } from '../trust/trust.ts';
import type { TrustedEum } from '../trust/trust-view.ts';
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

/** Octets of a batch that is verified within the call; larger ones go to the dispatcher. Some 1,400 entries. */
const WITHIN_CALL = 1024 * 1024;

/**
 * eUICC data (DPFF10): path A from an EUM by Esed1, path B from a device manufacturer inside its BppRequest. Entries
 * are accepted or refused one by one.
 *
 * Path A takes batches of a million: the batch is an object of the vault, walked once for its frame and then verified
 * slice by slice, each slice with a record of its own. Whoever stops in the middle goes on there.
 */
export class IngestService implements Ingest {
  readonly #context: Context;
  readonly #trust: Trust;

  constructor(context: Context, trust: Trust) {
    this.#context = context;
    this.#trust = trust;
  }

  async registerEuiccData(caller: Caller, batch: Bytes | ObjectRef): Promise<EuiccDataAnswer> {
    const { ledger, dispatcher } = this.#context;
    const head = await this.#start(batch);
    const id = ingestIdOf(caller.identifier, head.batchId);
    const known = await ledger.get(ledgerKeys.ingest(id));
    const ingest =
      known === undefined ? await this.#taken(caller, id, head, batch) : ingestRecord.from(known);
    const size = batch instanceof Uint8Array ? batch.length : batch.size;
    if (ingest.batch.sha256 !== (batch instanceof Uint8Array ? sha256(batch) : batch.sha256))
      refuse('requestChanged', 'the batchId was used before with another content', {
        subjectIdentifier: head.batchId,
      });
    if (ingest.done === undefined) {
      if (size > WITHIN_CALL)
        await dispatcher.submit({ kind: 'euiccData', id, tasks: ingestSliceCount(ingest) });
      else {
        for (let slice = 0; slice < ingestSliceCount(ingest); slice++)
          await ingestSlice(this.#context, this.#trust, id, slice);
        await finishIngest(this.#context, id);
      }
    }
    return await this.#answer(id);
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
   * Path B: the data came with a request of this device manufacturer. Its word alone entitles itself, and only to
   * EIDs that nobody else was entitled to before; a list that the EUM signed counts as the EUM's own.
   */
  async acceptForwarded(caller: Caller, der: Bytes): Promise<readonly RejectedEntry[]> {
    const batch = decodeEuiccDataBatch(der);
    const eum = await this.#trustedEum(batch);
    const signedList = signedByEum(batch, eum) ? batch.deviceManufacturers : undefined;
    if (signedList !== undefined && !signedList.includes(caller.identifier))
      refuse('eidBoundElsewhere', 'the EUM has named other device manufacturers for these eUICCs');
    const rules = {
      suite: this.#suiteOf(batch).name,
      ciPkId: batch.ciPkId,
      eumChain: await storeEumChain(this.#context.ledger, batch.eumChain, batch.ciPkId),
      euiccInfo2: batch.euiccInfo2,
      deviceMakers: signedList ?? [caller.identifier],
      entitlement: signedList === undefined ? 'keep' : 'replace',
    } as const;
    const elements = batch.entries.map((element, index) => ({ index, element }));
    const frame = await scanEuiccDataBatch(one(der), readEuiccDataStart(der, der.length).entriesAt, SLICE);
    const duplicates = new Set(frame.duplicates);
    const rejected: RejectedEntry[] = [];
    for (let start = 0; start < elements.length; start += SLICE) {
      const slice = elements.slice(start, start + SLICE);
      rejected.push(
        ...(await ingestEntries(this.#context, eum, rules, slice, (index) => duplicates.has(index))),
      );
    }
    return rejected;
  }

  async closeKeys(caller: Caller, items: readonly KeyToClose[]): Promise<CloseKeysAnswer> {
    return await closeKeys(this.#context, this.#trust, caller, items);
  }

  async #start(batch: Bytes | ObjectRef): Promise<ReturnType<typeof readEuiccDataStart>> {
    if (batch instanceof Uint8Array) return readEuiccDataStart(batch, batch.length);
    const length = Math.min(batch.size, EUICC_DATA_START);
    return readEuiccDataStart(await this.#context.vault.get(batch, { offset: 0, length }), batch.size);
  }

  /** Takes on a batch that is an object already, or puts one that came inline into the vault first. */
  async #taken(
    caller: Caller,
    id: string,
    head: EuiccDataHead & { readonly entriesAt: number },
    batch: Bytes | ObjectRef,
  ): Promise<IngestRecord> {
    if (!(batch instanceof Uint8Array)) {
      const upload = await uploadInUse(this.#context, caller.identifier, batch);
      return await this.#take(caller, id, head, batch, upload);
    }
    const attempt = randomUUID();
    const name = objectNames.euiccData(id, attempt);
    const holder = ledgerKeys.ingest(id);
    const written = await beginAttempt(this.#context, 'batch', attempt, { objects: [name], holder });
    let ingest: IngestRecord | undefined;
    try {
      const ref = await this.#context.vault.put(name, batch);
      ingest = await this.#take(caller, id, head, ref, [written.settled]);
      return ingest;
    } finally {
      if (ingest?.batch.name !== name) await abandonAttempt(this.#context, written);
    }
  }

  /** Takes the batch on: who may send it, where its entries are, and the open work, in one transaction. */
  async #take(
    caller: Caller,
    id: string,
    head: EuiccDataHead & { readonly entriesAt: number },
    batch: ObjectRef,
    alongside: readonly Write[],
  ): Promise<IngestRecord> {
    const { ledger, vault, now } = this.#context;
    const eum = await this.#trustedEum(head);
    if (eum.record.party !== caller.identifier)
      refuse('requesterNotAllowed', 'the caller does not speak for this EUM', {
        subjectIdentifier: eum.verified.eumKeyId,
      });
    const signature = new EumDataSignature(eum);
    const frame = await scanEuiccDataBatch(vault.getStream(batch), head.entriesAt, SLICE, (piece) =>
      signature.update(piece),
    );
    signature.check(frame.eumDataSignature);
    if (frame.deviceManufacturers === undefined || frame.deviceManufacturers.length === 0)
      refuse(
        'mandatoryElementMissing',
        'deviceManufacturers is needed on Esed1: it says who may bind these eUICCs',
      );
    const ingest: IngestRecord = {
      party: caller.identifier,
      batchId: head.batchId,
      batch,
      suite: this.#suiteOf(head).name,
      ciPkId: Uint8Array.from(head.ciPkId),
      eumChain: await storeEumChain(ledger, head.eumChain, head.ciPkId),
      euiccInfo2: Uint8Array.from(head.euiccInfo2),
      deviceMakers: frame.deviceManufacturers,
      entries: frame.entries,
      sliceSize: SLICE,
      sliceOffsets: frame.sliceOffsets,
      sliceHashes: await rangeHashesOf(vault.getStream(batch), frame.sliceOffsets),
      duplicates: frame.duplicates,
      warnings: await this.#warningsOf(frame.entries, frame.deviceManufacturers),
      takenAt: now(),
    };
    const open = ledgerKeys.openWork('euiccData', id);
    const { done } = await ledger.transact([
      ...alongside,
      { put: ledgerKeys.ingest(id), attributes: ingestRecord.to(ingest), when: 'absent' },
      {
        put: open,
        attributes: openWorkRecord.to({ tasks: ingestSliceCount(ingest), since: ingest.takenAt }),
        when: 'absent',
      },
      listedWrite('ingest', ingest.takenAt, id, { party: caller.identifier, name: head.batchId }),
    ]);
    return done ? ingest : await loadIngest(ledger, id);
  }

  async #answer(id: string): Promise<EuiccDataAnswer> {
    const { ledger } = this.#context;
    const { batchId, entries, done, warnings } = await loadIngest(ledger, id);
    const common = { batchId, entries, ...warningsMember(warnings) };
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

  /** What the EUM should look at; said once, in every answer about the batch. */
  async #warningsOf(entries: number, makers: readonly string[]): Promise<Warning[]> {
    const empty: Warning = { code: 'nothingInside', message: 'the batch has no entries' };
    return [...(entries === 0 ? [empty] : []), ...(await unknownMakers(this.#context.ledger, makers))];
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

function signedByEum(batch: EuiccDataBatch, eum: TrustedEum): boolean {
  const signature = new EumDataSignature(eum);
  signature.update(batch.signed);
  signature.check(batch.eumDataSignature);
  return batch.eumDataSignature !== undefined;
}

/**
 * The check of eumDataSignature, over the octets received: by the data key that is registered for the EUM. On either
 * path, a signature that is there must hold, and one must be there once a key is registered, unless the EUM is allowed
 * with an optional signature: whoever carries a batch could otherwise take the signature off and name other device
 * manufacturers. Where no key is registered nobody could tell whether a signature holds, so that is a refusal too.
 */
class EumDataSignature {
  readonly #key: PublicKey | undefined;
  readonly #verifier: Verifier | undefined;
  readonly #isRequired: boolean;

  constructor({ record }: TrustedEum) {
    this.#isRequired = record.dataKey !== undefined && record.dataSignature !== 'optional';
    this.#key = record.dataKey === undefined ? undefined : fromSpki(record.dataKey);
    this.#verifier = this.#key?.curve.verifier();
  }

  update(piece: Bytes): void {
    this.#verifier?.update(piece);
  }

  check(signature: Bytes | undefined): void {
    if (signature === undefined) {
      if (this.#isRequired)
        refuse(
          'mandatoryElementMissing',
          'eumDataSignature is missing: the EUM has registered a data key, which signs each of its batches',
        );
      return;
    }
    if (this.#key === undefined || this.#verifier === undefined)
      refuse('eumNotAllowed', 'the EUM has no registered key for signing its batches');
    if (!this.#verifier.signatureHolds(this.#key, signature))
      refuse('eumCertificateInvalid', 'the EUM data signature does not verify');
  }
}

const sha256 = (octets: Bytes) => createHash('sha256').update(octets).digest('hex');

async function* one(octets: Bytes): AsyncGenerator<Bytes> {
  yield octets;
}
