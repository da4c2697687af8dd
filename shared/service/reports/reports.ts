import type { Bytes } from '../../codec/bytes.ts';
import { readSingleTlv } from '../../codec/tlv.ts';
import { refuse, unlessRefused } from '../../errors.ts';
import { decodeProfileLoadingReport } from '../../ifpp-draft1/profile-loading-report.ts';
import { REPORT_START, readReportStart } from '../../ifpp-draft1/profile-loading-report-scan.ts';
import { PROFILE_INSTALLATION_RESULT } from '../../rsp/profile-installation-result.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import { type Warning, warningsMember } from '../../warnings.ts';
import type { Caller } from '../api/caller.ts';
import type { ReportAnswer, Reports } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { type Body, receivedBody } from '../life/bodies.ts';
import { ledgerKeys } from '../records/keys.ts';
import { reportRecord, reportSliceCount } from '../records/report.ts';
import { LoadingResults } from './loading-results.ts';
import { loadReportWork, reportProgress, sliceOf, takeReport, writeAnswer } from './report-slices.ts';

const SEQUENCE = 0x30;
/** Octets from which on a report is looked up before it is taken apart. */
const LARGE = 65_536;

const EMPTY: Warning = { code: 'nothingInside', message: 'the report has no items' };

/**
 * Reports of what became of profiles (DPFF05–07). The first body under a reportId is the report, and its first answer
 * the answer. One of up to `inlineReport` items is verified within the call; a larger one becomes work of the dispatcher,
 * is answered as Pending, and by the same call again with how far it is and at last with its answer.
 */
export class ReportService implements Reports {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async sendProfileLoadingReport(
    caller: Caller,
    sent: Bytes | ObjectRef,
    named?: string,
  ): Promise<ReportAnswer> {
    const { ledger, notifier, settings, now } = this.#context;
    const since = now();
    const { reportId, body, items } = await this.#received(caller, sent);
    if (named !== undefined && named !== reportId)
      refuse('protocolFormat', 'reportId is not the one in the ProfileLoadingReport');
    const item = await ledger.get(ledgerKeys.report(caller.identifier, reportId));
    if (item !== undefined) {
      const known = reportRecord.from(item);
      if (known.bodyHash !== body.sha256) {
        refuse('requestChanged', 'the reportId was used before with another report', {
          subjectIdentifier: reportId,
        });
      }
      if (known.answer !== undefined) return { ...known.answer, state: 'Done' };
      return await this.#pending(known.work!);
    }
    if (items === undefined || items.length > settings.inlineReport) {
      await takeReport(this.#context, caller.identifier, body);
      return await this.sendProfileLoadingReport(caller, sent);
    }
    const results = await new LoadingResults(this.#context, caller).takeAll(items);
    const slice = sliceOf(results, 0);
    const answer: ReportAnswer = {
      reportId,
      state: 'Done',
      ...slice,
      rejectedCount: slice.rejected.length,
      ...warningsMember(items.length === 0 ? [EMPTY] : []),
    };
    const about = { party: caller.identifier, reportId, bodyHash: body.sha256, since };
    const done = await writeAnswer(this.#context, about, { answer });
    notifier.wake();
    return done ? answer : await this.sendProfileLoadingReport(caller, sent);
  }

  /**
   * Of an upload that would not fit into a call the first octets are read and no more: it may be known, and is work otherwise. Nor is
   * a large one taken apart that is known, since whoever asks how far it is sends it each time.
   */
  async #received(
    caller: Caller,
    sent: Bytes | ObjectRef,
  ): Promise<{
    readonly reportId: string;
    readonly body: Body;
    readonly items?: readonly Bytes[];
  }> {
    const { body, octets } = await receivedBody(this.#context, sent);
    const start = () => body.stretch({ offset: 0, length: Math.min(body.size, REPORT_START) });
    if (octets === undefined) return { body, reportId: readReportStart(await start(), body.size) };
    if (octets.length >= LARGE) {
      const first = await start();
      const reportId = unlessRefused(() => readReportStart(first, body.size));
      if (reportId !== undefined && (await this.#bodyHash(caller, reportId)) === body.sha256)
        return { body, reportId };
    }
    return { body, ...decodeProfileLoadingReport(octets) };
  }

  /** SHA-256 of the report that this caller has sent under this identifier. */
  async #bodyHash(caller: Caller, reportId: string): Promise<string | undefined> {
    const item = await this.#context.ledger.get(ledgerKeys.report(caller.identifier, reportId));
    return item && reportRecord.from(item).bodyHash;
  }

  /** All refusals of a report of this caller, where there are more than an answer lists. */
  async resultOf(caller: Caller, reportId: string): Promise<ObjectRef> {
    const item = await this.#context.ledger.get(ledgerKeys.report(caller.identifier, reportId));
    return (
      (item && reportRecord.from(item).result) ??
      refuse('requestUnknown', 'the caller has no report with a result object under this identifier', {
        subjectIdentifier: reportId,
      })
    );
  }

  async handleNotification(der: Bytes): Promise<void> {
    const { tag } = readSingleTlv(der);
    const results = new LoadingResults(this.#context, undefined);
    if (tag === PROFILE_INSTALLATION_RESULT) await results.take(der, 'euiccResult');
    else if (tag === SEQUENCE) await results.take(der, 'otherSigned');
    else refuse('protocolFormat', 'a PendingNotification is BF37 or an OtherSignedNotification');
    this.#context.notifier.wake();
  }

  /** Submits the work once more, which is harmless, and tells how far it is. */
  async #pending(id: string): Promise<ReportAnswer> {
    const { ledger, dispatcher } = this.#context;
    const work = await loadReportWork(ledger, id);
    if ((await ledger.get(ledgerKeys.openWork('report', id))) !== undefined)
      await dispatcher.submit({ kind: 'report', id, tasks: reportSliceCount(work) });
    const item = await ledger.get(ledgerKeys.report(work.party, work.reportId));
    const done = item && reportRecord.from(item).answer;
    if (done !== undefined) return done;
    const { answer } = await reportProgress(ledger, id, work);
    return { ...answer, rejected: [] };
  }
}
