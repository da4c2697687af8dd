import { createHash } from 'node:crypto';
import { type Bytes, toHex } from '../codec/bytes.ts';
import { readSingleTlv } from '../codec/tlv.ts';
import { invariant, Refusal, refuse } from '../errors.ts';
import {
  decodeProfileLoadingReport,
  decodeReportItem,
  type ReportItem,
} from '../ifpp-draft1/profile-loading-report.ts';
import type { Write } from '../ledger/ledger.ts';
import { decodeCertificate } from '../pki/certificate.ts';
import { singleAttribute } from '../pki/name.ts';
import { OID } from '../pki/oids.ts';
import { errorReasonName, isTemporary } from '../rsp/installation-error.ts';
import {
  decodeOtherSignedNotification,
  verifyOtherSignedNotification,
} from '../rsp/other-signed-notification.ts';
import {
  decodeProfileInstallationResult,
  type FinalResult,
  PROFILE_INSTALLATION_RESULT,
  verifyProfileInstallationResult,
} from '../rsp/profile-installation-result.ts';
import { auditWrite } from './audit.ts';
import type { Context } from './context.ts';
import { itemRefusal } from './item-refusal.ts';
import { noticeWrite } from './notices.ts';
import { nextState, type ProfileEvent } from './profile-state.ts';
import { euiccRecord, parseItemName } from './records/euicc.ts';
import {
  type BoundItem,
  chunkProgress,
  chunkRecord,
  isBound,
  type JobRecord,
  jobChains,
  jobRecord,
} from './records/job.ts';
import { ledgerKeys } from './records/keys.ts';
import { orderRecord } from './records/order.ts';
import { type ProfileRecord, profileRecord } from './records/profile.ts';
import type { Caller, ReportAnswer, Reports } from './services.ts';
import { parseTransactionId, transactionId } from './transaction-id.ts';

const SEQUENCE = 0x30;
/** Refused items that an answer lists; `verified` and `noted` count all others. */
const LISTED = 1_000;

/** A committed binding that a result speaks of. */
interface Transaction {
  readonly id: string;
  readonly jobId: string;
  readonly chunk: number;
  readonly job: JobRecord;
  readonly bound: BoundItem;
}

/**
 * Loading results (DPFF05–07): each signed one is verified over the octets received, against the certificate,
 * transaction, ICCID and OID that we hold. What is not signed changes next to nothing.
 */
export class ReportService implements Reports {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async sendProfileLoadingReport(caller: Caller, der: Bytes): Promise<ReportAnswer> {
    const { ledger, now } = this.#context;
    const report = decodeProfileLoadingReport(der);
    const bodyHash = createHash('sha256').update(der).digest('hex');
    const key = ledgerKeys.report(caller.identifier, report.reportId);
    const known = await ledger.get(key);
    if (known !== undefined) {
      if (known.attributes.bodyHash !== bodyHash) {
        refuse('requestChanged', 'the reportId was used before with another report', {
          subjectIdentifier: report.reportId,
        });
      }
      return known.attributes.answer as unknown as ReportAnswer;
    }
    let verified = 0;
    let noted = 0;
    const rejected: ReportAnswer['rejected'][number][] = [];
    for (const [itemIndex, element] of report.items.entries()) {
      try {
        const item = decodeReportItem(element);
        if (item.kind === 'fpaError') {
          await this.#note(item, caller);
          noted += 1;
        } else {
          await this.#verify(item.result, item.kind, caller);
          verified += 1;
        }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        rejected.push({ itemIndex, ...itemRefusal(error) });
      }
    }
    const answer: ReportAnswer = {
      reportId: report.reportId,
      verified,
      noted,
      rejected: rejected.slice(0, LISTED),
    };
    const { done } = await ledger.transact([
      { put: key, attributes: { bodyHash, answer: answer as never }, when: 'absent' },
      auditWrite(
        {
          event: 'report.taken',
          by: caller.identifier,
          about: { report: report.reportId, verified, noted, rejected: rejected.length, body: bodyHash },
        },
        `report-${caller.identifier}-${report.reportId}`,
        now(),
      ),
    ]);
    this.#context.notifier.wake();
    // the first answer is the answer, and the first body under a reportId is the report
    return done ? answer : await this.sendProfileLoadingReport(caller, der);
  }

  async handleNotification(der: Bytes): Promise<void> {
    const { tag } = readSingleTlv(der);
    if (tag === PROFILE_INSTALLATION_RESULT) await this.#verify(der, 'euiccResult', undefined);
    else if (tag === SEQUENCE) await this.#verify(der, 'otherSigned', undefined);
    else refuse('protocolFormat', 'a PendingNotification is BF37 or an OtherSignedNotification');
    this.#context.notifier.wake();
  }

  /** `caller` is undefined where the device itself reports from the field: trusted by signature alone. */
  async #verify(der: Bytes, kind: 'euiccResult' | 'otherSigned', caller: Caller | undefined): Promise<void> {
    if (kind === 'euiccResult') await this.#installationResult(der, caller);
    else await this.#otherNotification(der, caller);
  }

  async #installationResult(der: Bytes, caller: Caller | undefined): Promise<void> {
    const pir = decodeProfileInstallationResult(der);
    const transaction = await this.#transaction(toHex(pir.transactionId), caller);
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
    await this.#apply(transaction, success ? 'installed' : 'failed', {
      result: der,
      ...(success ? {} : { detail: describeFailure(pir.finalResult) }),
    });
  }

  async #otherNotification(der: Bytes, caller: Caller | undefined): Promise<void> {
    const { ledger } = this.#context;
    const notification = decodeOtherSignedNotification(der);
    const { iccid, profileManagementOperation } = notification.notificationMetadata;
    const shown = decodeCertificate(notification.euiccCertificate, 'euiccCertificateInvalid');
    const eid = singleAttribute(shown.subject.attributes, OID.serialNumber) ?? '';
    const held = await this.#certificateOf(eid);
    if (Buffer.compare(held, notification.euiccCertificate) !== 0) {
      refuse('euiccCertificateInvalid', 'the notification carries another certificate than is registered', {
        subjectIdentifier: eid,
      });
    }
    verifyOtherSignedNotification(notification, shown.publicKey);
    if (iccid === undefined) refuse('mandatoryElementMissing', 'the notification names no ICCID');
    const item = await ledger.get(ledgerKeys.euicc(eid));
    invariant(item !== undefined, 'an eUICC certificate is stored without its record');
    for (const name of Object.values(euiccRecord.from(item).orders).flat()) {
      const { jobId, index } = parseItemName(name);
      const transaction = await this.#find(transactionId(jobId, index));
      if (transaction?.bound.iccid !== iccid) continue;
      this.#requireOwn(transaction, caller);
      if (profileManagementOperation === 'delete') await this.#apply(transaction, 'deleted', { result: der });
      return;
    }
    refuse('iccidUnknown', 'no profile with this ICCID was bound to the eUICC', { subjectIdentifier: iccid });
  }

  async #note(item: Extract<ReportItem, { kind: 'fpaError' }>, caller: Caller): Promise<void> {
    const transaction = await this.#transaction(item.transactionId, caller);
    if (transaction.bound.eid !== item.eid) {
      refuse('transactionMismatch', 'the transaction belongs to another EID', {
        subjectIdentifier: item.eid,
      });
    }
    const words = [item.cause, item.statusWord && `status word ${item.statusWord}`, item.detail].filter(
      Boolean,
    );
    await this.#apply(transaction, 'unreported', { detail: words.join(', '), fpaCause: item.cause });
  }

  async #transaction(id: string, caller: Caller | undefined): Promise<Transaction> {
    const transaction = await this.#find(id);
    if (transaction === undefined)
      refuse('transactionUnknown', 'no profile was bound under this transactionId', {
        subjectIdentifier: id,
      });
    this.#requireOwn(transaction, caller);
    return transaction;
  }

  #requireOwn({ id, job }: Transaction, caller: Caller | undefined): void {
    if (caller !== undefined && job.party !== caller.identifier) {
      refuse('transactionUnknown', 'no profile was bound under this transactionId', {
        subjectIdentifier: id,
      });
    }
  }

  async #find(id: string): Promise<Transaction | undefined> {
    const { ledger } = this.#context;
    const { jobId, index } = parseTransactionId(id);
    const jobItem = await ledger.get(ledgerKeys.job(jobId));
    if (jobItem === undefined) return undefined;
    const job = jobRecord.from(jobItem);
    const chunk = Math.floor(index / job.chunkSize);
    const chunkItem = await ledger.get(ledgerKeys.chunk(jobId, chunk));
    const outcome = chunkItem && chunkRecord.from(chunkItem).outcomes[index % job.chunkSize];
    return outcome && isBound(outcome) ? { id, jobId, chunk, job, bound: outcome } : undefined;
  }

  async #certificateOf(eid: string): Promise<Bytes> {
    const item = await this.#context.ledger.get(ledgerKeys.euiccCertificate(eid));
    if (item === undefined)
      refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
    return item.attributes.der as Bytes;
  }

  async #smdpOid({ jobId, bound }: Transaction): Promise<string> {
    const item = await this.#context.ledger.get(ledgerKeys.jobChains(jobId));
    invariant(item !== undefined, `job ${jobId} has no certificate chains`);
    return jobChains.from(item).chains[bound.chain]!.smdpOid;
  }

  /** Moves the profile on and tells the Operator, in one transaction; a repeat finds nothing to do. */
  async #apply(
    { id, jobId, chunk, job, bound }: Transaction,
    event: ProfileEvent,
    news: { result?: Bytes; detail?: string; fpaCause?: string },
  ): Promise<void> {
    const { ledger, now } = this.#context;
    const key = ledgerKeys.profile(job.orderId, bound.position);
    for (;;) {
      const [before, progress, orderItem] = await ledger.getMany([
        key,
        ledgerKeys.chunkProgress(jobId, chunk),
        ledgerKeys.order(job.orderId),
      ]);
      invariant(progress && orderItem, `job ${jobId} or its order has lost a record`);
      const delivered = chunkProgress.from(progress).deliveredAt !== undefined ? 'Delivered' : 'Bound';
      const state = before === undefined ? delivered : profileRecord.from(before).state;
      const next = nextState(state, event);
      if (next === state) return;
      const at = now();
      const record: ProfileRecord = {
        state: next as ProfileRecord['state'],
        iccid: bound.iccid,
        eid: bound.eid,
        transactionId: id,
        at,
        ...(news.detail === undefined ? {} : { detail: news.detail }),
        ...(news.result === undefined ? {} : { result: Uint8Array.from(news.result) }),
      };
      const change = `${id}-${(before?.revision ?? 0) + 1}`;
      const writes: Write[] = [
        {
          put: key,
          attributes: profileRecord.to(record),
          when: before === undefined ? 'absent' : { revision: before.revision },
        },
        auditWrite(
          {
            event: `profile.${event}`,
            by: job.party,
            about: { order: job.orderId, iccid: bound.iccid, eid: bound.eid, transaction: id },
          },
          `profile-${change}`,
          at,
        ),
      ];
      const order = orderRecord.from(orderItem);
      if (order.callbackUrl !== undefined) {
        writes.push(
          noticeWrite({
            id: change,
            order,
            orderId: job.orderId,
            record,
            ...(news.fpaCause === undefined ? {} : { fpaCause: news.fpaCause }),
          }),
        );
      }
      if ((await ledger.transact(writes)).done) return;
    }
  }
}

function describeFailure(result: FinalResult): string {
  if ('successResult' in result) return 'success';
  const { bppCommandId, errorReason } = result.errorResult;
  const lasting = isTemporary(errorReason) ? 'temporary' : 'permanent';
  return `${errorReasonName(errorReason)} (${errorReason}) at ${bppCommandId}, ${lasting}`;
}
