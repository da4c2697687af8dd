import { type Bytes, equal, toHex } from '../../codec/bytes.ts';
import { isEid } from '../../codec/eid.ts';
import { mapConcurrently } from '../../concurrency.ts';
import { keyIdentifier } from '../../crypto/ec-key-forms.ts';
import { invariant, Refusal, refuse } from '../../errors.ts';
import { decodeReportItem, type ReportItem } from '../../ifpp-draft1/profile-loading-report.ts';
import { asRead, changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Item, ItemKey, Write } from '../../ledger/ledger.ts';
import { decodeCertificate } from '../../pki/certificate.ts';
import { singleAttribute } from '../../pki/name.ts';
import { OID } from '../../pki/oids.ts';
import { ifPresent, present } from '../../present.ts';
import { errorReasonName, isTemporary } from '../../rsp/installation-error.ts';
import {
  decodeOtherSignedNotification,
  verifyOtherSignedNotification,
} from '../../rsp/other-signed-notification.ts';
import {
  decodeProfileInstallationResult,
  type ErrorResult,
  verifyProfileInstallationResult,
} from '../../rsp/profile-installation-result.ts';
import type { Caller } from '../api/caller.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { euiccCertificateRecord, euiccRecord, parseItemName } from '../records/euicc.ts';
import {
  type BoundItem,
  chainsKey,
  chunkProgress,
  chunkRecord,
  isBound,
  type JobRecord,
  jobChains,
  jobRecord,
} from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { orderRecord } from '../records/order.ts';
import { type ProfileRecord, profileRecord } from '../records/profile.ts';
import { parseTransactionId, transactionId } from '../records/transaction-id.ts';
import { noticeWrite } from './notices.ts';
import { nextState, type ProfileEvent } from './profile-state.ts';

/** Items of a report that are looked at at once: what they wait for is the ledger. */
const AT_ONCE = 16;

/** A committed binding that a result speaks of. */
interface Transaction {
  readonly id: string;
  readonly jobId: string;
  readonly chunk: number;
  readonly job: JobRecord;
  readonly bound: BoundItem;
}

/** What a result that holds does to its profile. */
interface Change {
  readonly transaction: Transaction;
  readonly event: ProfileEvent;
  readonly news: {
    readonly result?: Bytes;
    readonly detail?: string;
    readonly fpaCause?: string;
    readonly failure?: { readonly command: string; readonly reason: string };
  };
}

/** What became of an item: signed and true, the FPA's word taken down, or refused. */
export type ItemResult = 'verified' | 'noted' | Refusal;

/**
 * Loading results (DPFF05–07): each signed one is verified over the octets received, against the certificate,
 * transaction, ICCID and OID that we hold. What is not signed changes next to nothing.
 *
 * One of these serves one report: it keeps jobs, commits and orders, which do not change, and reads each once.
 */
export class LoadingResults {
  readonly #context: Context;
  readonly #caller: Pick<Caller, 'identifier'> | undefined;
  readonly #kept = new Map<string, Promise<Item | undefined>>();

  /** `caller` is undefined where the device itself reports from the field: trusted by signature alone. */
  constructor(context: Context, caller: Pick<Caller, 'identifier'> | undefined) {
    this.#context = context;
    this.#caller = caller;
  }

  /**
   * Takes the items of a report, several at once; those of one transaction in their order. A bad one stops no other.
   */
  async takeAll(elements: readonly Bytes[]): Promise<ItemResult[]> {
    const results = new Array<ItemResult>(elements.length);
    const changes = new Map<string, { index: number; change: Change }[]>();
    const attempt = async (index: number, work: () => Promise<void>) => {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        results[index] = error;
      }
    };
    const found = await mapConcurrently(elements, AT_ONCE, async (element, index) => {
      let change: Change | undefined;
      await attempt(index, async () => {
        const item = decodeReportItem(element);
        results[index] = item.kind === 'fpaError' ? 'noted' : 'verified';
        change =
          item.kind === 'fpaError' ? await this.#note(item) : await this.#verify(item.result, item.kind);
      });
      return change;
    });
    for (const [index, change] of found.entries()) {
      if (change === undefined) continue;
      const { id } = change.transaction;
      changes.set(id, [...(changes.get(id) ?? []), { index, change }]);
    }
    await mapConcurrently([...changes.values()], AT_ONCE, async (ofOne) => {
      for (const { index, change } of ofOne) await attempt(index, () => this.#apply(change));
    });
    return results;
  }

  /** One signed result by itself: BF37 or an OtherSignedNotification. */
  async take(der: Bytes, kind: 'euiccResult' | 'otherSigned'): Promise<void> {
    const change = await this.#verify(der, kind);
    if (change !== undefined) await this.#apply(change);
  }

  #verify(der: Bytes, kind: 'euiccResult' | 'otherSigned'): Promise<Change | undefined> {
    return kind === 'euiccResult' ? this.#installationResult(der) : this.#otherNotification(der);
  }

  async #installationResult(der: Bytes): Promise<Change> {
    const pir = decodeProfileInstallationResult(der);
    const transaction = await this.#transaction(toHex(pir.transactionId));
    const { bound } = transaction;
    const certificate = decodeCertificate(await this.#certificateOf(bound.eid), 'euiccCertificateInvalid');
    verifyProfileInstallationResult(pir, certificate.publicKey);
    const { iccid } = pir.notificationMetadata;
    if (iccid !== undefined && iccid !== bound.iccid) {
      refuse('transactionMismatch', 'the result names another ICCID than the transaction', {
        subjectIdentifier: iccid,
      });
    }
    if (pir.smdpOid !== undefined && pir.smdpOid !== (await this.#smdpOid(transaction))) {
      refuse('transactionMismatch', 'the result names another SM-DPf than bound the profile', {
        subjectIdentifier: pir.smdpOid,
      });
    }
    const success = 'successResult' in pir.finalResult;
    return {
      transaction,
      event: success ? 'installed' : 'failed',
      news: {
        result: der,
        ...('errorResult' in pir.finalResult && failureNews(pir.finalResult.errorResult)),
      },
    };
  }

  async #otherNotification(der: Bytes): Promise<Change | undefined> {
    const { ledger } = this.#context;
    const notification = decodeOtherSignedNotification(der);
    const { iccid, profileManagementOperation } = notification.notificationMetadata;
    const shown = decodeCertificate(notification.euiccCertificate, 'euiccCertificateInvalid');
    const eid = singleAttribute(shown.subject.attributes, OID.serialNumber) ?? '';
    if (!isEid(eid)) refuse('euiccCertificateInvalid', 'the certificate of the notification names no EID');
    // the key is what signs: its certificate may be another one, as of an EUM under two names of a CI
    const held = decodeCertificate(await this.#certificateOf(eid), 'euiccCertificateInvalid');
    if (!equal(held.spki, shown.spki)) {
      const keys = [shown, held].map(({ spki }) => keyIdentifier(spki));
      refuse(
        'euiccCertificateInvalid',
        `the certificate of the notification is of another key (SKI ${keys[0]}) than the one that is registered (SKI ${keys[1]})`,
        { subjectIdentifier: eid },
      );
    }
    verifyOtherSignedNotification(notification, shown.publicKey);
    if (iccid === undefined) refuse('mandatoryElementMissing', 'the notification names no ICCID');
    const item = await ledger.get(ledgerKeys.euicc(eid));
    invariant(item !== undefined, 'an eUICC certificate is stored without its record');
    for (const name of Object.values(euiccRecord.from(item).orders).flat()) {
      const { jobId, index } = parseItemName(name);
      const transaction = await this.#find(transactionId(jobId, index));
      if (transaction?.bound.iccid !== iccid) continue;
      this.#requireOwn(transaction);
      return profileManagementOperation === 'delete'
        ? { transaction, event: 'deleted', news: { result: der } }
        : undefined;
    }
    return refuse('iccidUnknown', 'no profile with this ICCID was bound to the eUICC', {
      subjectIdentifier: iccid,
    });
  }

  async #note(item: Extract<ReportItem, { kind: 'fpaError' }>): Promise<Change> {
    const transaction = await this.#transaction(item.transactionId);
    if (transaction.bound.eid !== item.eid) {
      refuse('transactionMismatch', 'the transaction belongs to another EID', {
        subjectIdentifier: item.eid,
      });
    }
    const words = [item.cause, item.statusWord && `status word ${item.statusWord}`, item.detail].filter(
      Boolean,
    );
    return {
      transaction,
      event: 'unreported',
      news: { detail: words.join(', '), fpaCause: item.cause },
    };
  }

  async #transaction(id: string): Promise<Transaction> {
    const transaction = await this.#find(id);
    if (transaction === undefined)
      refuse('transactionUnknown', 'no profile was bound under this transactionId', {
        subjectIdentifier: id,
      });
    this.#requireOwn(transaction);
    return transaction;
  }

  #requireOwn({ id, job }: Transaction): void {
    if (this.#caller !== undefined && job.party !== this.#caller.identifier) {
      refuse('transactionUnknown', 'no profile was bound under this transactionId', {
        subjectIdentifier: id,
      });
    }
  }

  async #find(id: string): Promise<Transaction | undefined> {
    const { jobId, index } = parseTransactionId(id);
    const jobItem = await this.#keep(ledgerKeys.job(jobId));
    if (jobItem === undefined) return undefined;
    const job = jobRecord.from(jobItem);
    const chunk = Math.floor(index / job.chunkSize);
    const chunkItem = await this.#keep(ledgerKeys.chunk(jobId, chunk));
    const outcome = chunkItem && chunkRecord.from(chunkItem).outcomes[index % job.chunkSize];
    return outcome && isBound(outcome) ? { id, jobId, chunk, job, bound: outcome } : undefined;
  }

  async #certificateOf(eid: string): Promise<Bytes> {
    const item = await this.#context.ledger.get(ledgerKeys.euiccCertificate(eid));
    if (item === undefined)
      refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
    return euiccCertificateRecord.from(item).der;
  }

  async #smdpOid({ jobId, job, bound }: Transaction): Promise<string> {
    const item = await this.#keep(chainsKey(jobId, job));
    invariant(item !== undefined, `job ${jobId} has no certificate chains`);
    return jobChains.from(item).chains[bound.chain]!.smdpOid;
  }

  /** Read once; for what does not change any more. */
  #keep(key: ItemKey): Promise<Item | undefined> {
    const name = `${key.partition}\0${key.sort}`;
    let item = this.#kept.get(name);
    if (item === undefined) {
      item = this.#context.ledger.get(key);
      this.#kept.set(name, item);
    }
    return item;
  }

  /** Moves the profile on and tells the Operator, in one transaction; a repeat finds nothing to do. */
  async #apply({ transaction, event, news }: Change): Promise<void> {
    const { id, jobId, chunk, job, bound } = transaction;
    const { ledger, now } = this.#context;
    const key = ledgerKeys.profile(job.orderId, bound.position);
    const orderItem = await this.#keep(ledgerKeys.order(job.orderId));
    const caller = await this.#smdpOid(transaction);
    await changeItems(ledger, async () => {
      const [before, progress] = await ledger.getMany([key, ledgerKeys.chunkProgress(jobId, chunk)]);
      invariant(orderItem, `the order of job ${jobId} has lost its record`);
      // one that was bound just in time has none until it came to its end
      const deliveredAt = progress && chunkProgress.from(progress).deliveredAt;
      const delivered = deliveredAt === undefined ? 'Bound' : 'Delivered';
      const state = before === undefined ? delivered : profileRecord.from(before).state;
      const next = nextState(state, event);
      if (next === state) return unchanged();
      const at = now();
      const record: ProfileRecord = {
        state: next,
        iccid: bound.iccid,
        eid: bound.eid,
        transactionId: id,
        at,
        ...present({ detail: news.detail }),
        ...present({ result: ifPresent(news.result, (octets) => Uint8Array.from(octets)) }),
      };
      const change = `${id}-${(before?.revision ?? 0) + 1}`;
      const changes: Write[] = [
        {
          put: key,
          attributes: profileRecord.to(record),
          when: asRead(before),
        },
        auditWrite(auditLine({ transaction, event, news }), `profile-${change}`, at),
      ];
      const order = orderRecord.from(orderItem);
      if (order.callbackUrl !== undefined) {
        changes.push(
          noticeWrite({
            id: change,
            url: order.callbackUrl,
            caller,
            orderId: job.orderId,
            record,
            ...present({ fpaCause: news.fpaCause }),
          }),
        );
      }
      return writes(changes);
    });
  }
}

/** In words for the Operator, and in the words of SGP.22 for the audit log. */
function failureNews({ bppCommandId, errorReason }: ErrorResult): Pick<Change['news'], 'detail' | 'failure'> {
  const reason = errorReasonName(errorReason);
  const lasting = isTemporary(errorReason) ? 'temporary' : 'permanent';
  return {
    detail: `${reason} (${errorReason}) at ${bppCommandId}, ${lasting}`,
    failure: { command: bppCommandId, reason },
  };
}

/** Why a profile failed is in its line: what the eUICC signed, or what the report says where nobody signed. */
function auditLine({ transaction: { id, job, bound }, event, news }: Change) {
  const about = { order: job.orderId, iccid: bound.iccid, eid: bound.eid, transaction: id };
  const by = job.party;
  if (event === 'failed')
    return { event: 'profile.failed', by, about: { ...about, ...news.failure } } as const;
  if (event === 'unreported')
    return { event: 'profile.unreported', by, about: { ...about, cause: news.fpaCause } } as const;
  return { event: `profile.${event}`, by, about } as const;
}
