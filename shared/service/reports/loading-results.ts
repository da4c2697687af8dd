import { type Bytes, equal, toHex } from '../../codec/bytes.ts';
import { isEid } from '../../codec/eid.ts';
import { mapConcurrently } from '../../concurrency.ts';
import { keyIdentifier } from '../../crypto/ec-key-forms.ts';
import { invariant, Refusal, refuse } from '../../errors.ts';
import { decodeReportItem, type ReportItem } from '../../ifpp-draft1/profile-loading-report.ts';
import type { Item, ItemKey, Ledger } from '../../ledger/ledger.ts';
import { decodeCertificate } from '../../pki/certificate.ts';
import { singleAttribute } from '../../pki/name.ts';
import { OID } from '../../pki/oids.ts';
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
import type { Context } from '../context.ts';
import { euiccCertificateRecord, euiccRecord, parseItemName } from '../records/euicc.ts';
import {
  type ChunkRecord,
  chainsKey,
  chunkRecord,
  isBound,
  type JobChains,
  type JobRecord,
  jobChains,
  jobRecord,
} from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type OrderRecord, orderRecord } from '../records/order.ts';
import { parseTransactionId, transactionId } from '../records/transaction-id.ts';
import { applyResults, type Change, TOGETHER, type Transaction } from './apply-results.ts';

/** Items of a report that are looked at at once: what they wait for is the ledger. */
const AT_ONCE = 16;
/** Groups of results that are written at once. */
const GROUPS_AT_ONCE = 4;

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
  readonly #orders: ReadOnce<OrderRecord>;
  readonly #jobs: ReadOnce<JobRecord>;
  readonly #chunks: ReadOnce<ChunkRecord>;
  readonly #chains: ReadOnce<JobChains>;

  /** `caller` is undefined where the device itself reports from the field: trusted by signature alone. */
  constructor(context: Context, caller: Pick<Caller, 'identifier'> | undefined) {
    const { ledger } = context;
    this.#context = context;
    this.#caller = caller;
    this.#orders = new ReadOnce(ledger, orderRecord.from);
    this.#jobs = new ReadOnce(ledger, jobRecord.from);
    this.#chunks = new ReadOnce(ledger, chunkRecord.from);
    this.#chains = new ReadOnce(ledger, jobChains.from);
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
    // of one transaction in their order, of many side by side
    let open = [...changes.values()];
    while (open.length > 0) {
      const first = open.flatMap(([one]) => one ?? []);
      await mapConcurrently(groupsOf(first), GROUPS_AT_ONCE, async (group) => {
        const refused = await this.#apply(group.map(({ change }) => change));
        for (const [i, refusal] of refused) results[group[i]!.index] = refusal;
      });
      open = open.map((ofOne) => ofOne.slice(1)).filter((ofOne) => ofOne.length > 0);
    }
    return results;
  }

  /** One signed result by itself: BF37 or an OtherSignedNotification. */
  async take(der: Bytes, kind: 'euiccResult' | 'otherSigned'): Promise<void> {
    const change = await this.#verify(der, kind);
    if (change === undefined) return;
    const [refused] = (await this.#apply([change])).values();
    if (refused !== undefined) throw refused;
  }

  /** Moves profiles on and tells their Operators, in one transaction; a repeat finds nothing to do. Returns what is refused. */
  async #apply(changes: readonly Change[]): Promise<ReadonlyMap<number, Refusal>> {
    const told = await Promise.all(
      changes.map(async (change) => {
        const { jobId, job } = change.transaction;
        const order = await this.#orders.get(ledgerKeys.order(job.orderId));
        invariant(order, `the order of job ${jobId} has lost its record`);
        const { callbackUrl, callbackBatch } = order;
        return { ...change, callbackUrl, callbackBatch, caller: await this.#smdpOid(change.transaction) };
      }),
    );
    return await applyResults(this.#context, told);
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
    const job = await this.#jobs.get(ledgerKeys.job(jobId));
    if (job === undefined) return undefined;
    const chunk = Math.floor(index / job.chunkSize);
    const committed = await this.#chunks.get(ledgerKeys.chunk(jobId, chunk));
    if (committed === undefined) return undefined;
    const { outcomes, part } = committed;
    const bound = outcomes[index % job.chunkSize];
    if (bound === undefined || !isBound(bound)) return undefined;
    return { id, jobId, chunk, job, bound, partSize: part.size };
  }

  async #certificateOf(eid: string): Promise<Bytes> {
    const item = await this.#context.ledger.get(ledgerKeys.euiccCertificate(eid));
    if (item === undefined)
      refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
    return euiccCertificateRecord.from(item).der;
  }

  async #smdpOid({ jobId, job, bound }: Transaction): Promise<string> {
    const found = await this.#chains.get(chainsKey(jobId, job));
    invariant(found !== undefined, `job ${jobId} has no certificate chains`);
    return found.chains[bound.chain]!.smdpOid;
  }
}

/** Records that do not change any more: each is read and decoded once, also one of hundreds of outcomes, of which each is asked for. */
class ReadOnce<Of> {
  readonly #ledger: Pick<Ledger, 'get'>;
  readonly #from: (item: Item) => Of;
  readonly #read = new Map<string, Promise<Of | undefined>>();

  constructor(ledger: Pick<Ledger, 'get'>, from: (item: Item) => Of) {
    this.#ledger = ledger;
    this.#from = from;
  }

  get(key: ItemKey): Promise<Of | undefined> {
    const name = `${key.partition}\0${key.sort}`;
    let found = this.#read.get(name);
    if (found === undefined) {
      found = this.#ledger.get(key).then((item) => item && this.#from(item));
      this.#read.set(name, found);
    }
    return found;
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

/** Changes that one transaction makes together: of one order. */
function groupsOf<Of extends { readonly change: Change }>(changes: readonly Of[]): Of[][] {
  const groups: Of[][] = [];
  const filling = new Map<string, Of[]>();
  for (const one of changes) {
    const { orderId } = one.change.transaction.job;
    let group = filling.get(orderId);
    if (group === undefined || group.length === TOGETHER) {
      group = [];
      filling.set(orderId, group);
      groups.push(group);
    }
    group.push(one);
  }
  return groups;
}
