import { createHash, randomUUID } from 'node:crypto';
import { utf8 } from '../../codec/bytes.ts';
import { splitElements } from '../../codec/tlv.ts';
import { invariant, Refusal } from '../../errors.ts';
import { scanProfileLoadingReport } from '../../ifpp-draft1/profile-loading-report-scan.ts';
import { asRead } from '../../ledger/change.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { scan } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { ReportAnswer } from '../api/esbpp.ts';
import { itemRefusal } from '../api/item-refusal.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { commonest, tellEnd } from '../counts/ends.ts';
import { failureWrites } from '../counts/failures.ts';
import { listedWrite } from '../counts/listed.ts';
import { abandonAttempt, beginAttempt } from '../life/attempts.ts';
import type { Body } from '../life/bodies.ts';
import { readChecked } from '../life/checked-reads.ts';
import { ledgerKeys, reportSlicesPartition } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import {
  type ReportRecord,
  type ReportSlice,
  type ReportWork,
  reportRecord,
  reportSlice,
  reportSliceCount,
  reportWork,
} from '../records/report.ts';
import { openWorkRecord } from '../records/work.ts';
import { type ItemResult, LoadingResults } from './loading-results.ts';

/** Items that a task of the dispatcher verifies at most. Their refusals fit an item of the ledger. */
const SLICE = 500;
/** Refused items that an answer lists; all of them are in the result object. */
const LISTED = 1_000;

/** Names a report that is work, from its party and reportId. */
function reportWorkId(party: string, reportId: string): string {
  return createHash('sha256').update(`report\0${party}\0${reportId}`).digest('hex').slice(0, 32);
}

/** What came of items that begin at `first` of their report. */
export function sliceOf(results: readonly ItemResult[], first: number): ReportSlice {
  return {
    verified: results.filter((result) => result === 'verified').length,
    noted: results.filter((result) => result === 'noted').length,
    rejected: results.flatMap((result, i) =>
      result instanceof Refusal ? [{ itemIndex: first + i, ...itemRefusal(result) }] : [],
    ),
  };
}

/** Takes a large report on: as an object, as open work, and under its name, in one transaction. */
export async function takeReport(context: Context, party: string, report: Body): Promise<void> {
  const { ledger, settings } = context;
  const sliceSize = Math.min(SLICE, settings.inlineReport);
  const { reportId, sliceOffsets } = await scanProfileLoadingReport(report.stream(), report.size, sliceSize);
  const id = reportWorkId(party, reportId);
  const attempt = randomUUID();
  const name = objectNames.report(id, attempt);
  const written = await beginAttempt(context, 'report', attempt, {
    objects: [name],
    holder: ledgerKeys.reportWork(id),
  });
  const work: ReportWork = {
    party,
    reportId,
    bodyHash: report.sha256,
    body: await report.store(name),
    sliceSize,
    sliceOffsets,
    sliceHashes: await report.hashes(sliceOffsets),
  };
  const takenAt = context.now();
  const { done } = await ledger.transact([
    written.settled,
    listedWrite('report', takenAt, id, { party, name: reportId }),
    {
      put: ledgerKeys.report(party, reportId),
      attributes: reportRecord.to({ bodyHash: work.bodyHash, work: id, takenAt }),
      when: 'absent',
    },
    { put: ledgerKeys.reportWork(id), attributes: reportWork.to(work), when: 'absent' },
    {
      put: ledgerKeys.openWork('report', id),
      attributes: openWorkRecord.to({ tasks: reportSliceCount(work), since: takenAt }),
      when: 'absent',
    },
  ]);
  if (!done) await abandonAttempt(context, written);
}

/** What the inventory tells of items that were refused. */
const rejectionWrites = (
  party: string,
  rejected: ReportSlice['rejected'],
  atMs: number,
  id: string,
): Write[] =>
  failureWrites(
    { kind: 'reportItem', party },
    rejected.map(({ code, message }) => ({ code, detail: message })),
    { atMs, id },
  );

export async function loadReportWork(ledger: Ledger, id: string): Promise<ReportWork> {
  const item = await ledger.get(ledgerKeys.reportWork(id));
  invariant(item !== undefined, `there is no report ${id}`);
  return reportWork.from(item);
}

/** Verifies one slice; it stands by itself and may be repeated: its first answer stays. */
export async function runReportSlice(context: Context, id: string, slice: number): Promise<void> {
  const { ledger } = context;
  const key = ledgerKeys.reportSlice(id, slice);
  if ((await ledger.get(key)) !== undefined) return;
  const work = await loadReportWork(ledger, id);
  const ranges = { offsets: work.sliceOffsets, hashes: work.sliceHashes };
  const elements = splitElements(await readChecked(context, work.body, ranges, slice));
  const results = await new LoadingResults(context, { identifier: work.party }).takeAll(elements);
  const done = sliceOf(results, slice * work.sliceSize);
  await ledger.transact([
    { put: key, attributes: reportSlice.to(done), when: 'absent' },
    ...rejectionWrites(work.party, done.rejected, context.now(), `report-${id}-${slice}`),
  ]);
}

/** Answers a report once all its slices are done; may be repeated. */
export async function finishReport(context: Context, id: string): Promise<boolean> {
  const { ledger, notifier } = context;
  const open = await ledger.get(ledgerKeys.openWork('report', id));
  if (open === undefined) return true;
  const work = await loadReportWork(ledger, id);
  const { slices, answer, rejected } = await reportProgress(ledger, id, work);
  if (slices < reportSliceCount(work)) return false;
  const known = await ledger.get(ledgerKeys.report(work.party, work.reportId));
  invariant(known !== undefined, `report ${id} has lost its record`);
  const result = rejected > LISTED ? await storeResult(context, id) : undefined;
  await writeAnswer(
    context,
    work,
    { answer: { ...answer, state: 'Done' }, ...present({ result }) },
    known,
    open,
  );
  notifier.wake();
  return true;
}

/** Answer and line of the audit log in one transaction; of work also its end. False where another was first. */
export async function writeAnswer(
  context: Context,
  about: Pick<ReportWork, 'party' | 'reportId' | 'bodyHash'> & { readonly since?: number },
  { answer, result }: Pick<ReportRecord, 'result'> & { readonly answer: ReportAnswer },
  known?: Item,
  open?: Item,
): Promise<boolean> {
  const { ledger, now } = context;
  const { party, reportId, bodyHash } = about;
  const before = known && reportRecord.from(known);
  const at = now();
  const record: ReportRecord = {
    bodyHash,
    answer: { ...answer, rejected: answer.rejected.slice(0, LISTED) },
    takenAt: before?.takenAt ?? at,
    ...present({ result, work: before?.work }),
  };
  const { verified, noted, rejectedCount: rejected } = answer;
  const { done } = await ledger.transact([
    {
      put: ledgerKeys.report(party, reportId),
      attributes: reportRecord.to(record),
      when: asRead(known),
    },
    ...(open === undefined ? [] : [{ remove: open, when: { revision: open.revision } }]),
    // of a large report they came with its slices
    ...(before === undefined
      ? [
          listedWrite('report', at, reportWorkId(party, reportId), { party, name: reportId }),
          ...rejectionWrites(party, answer.rejected, at, `report-${reportWorkId(party, reportId)}`),
        ]
      : []),
    auditWrite(
      {
        event: 'report.taken',
        by: party,
        about: { report: reportId, verified, noted, rejected, body: bodyHash },
      },
      `report-${party}-${reportId}`,
      at,
    ),
  ]);
  if (done)
    tellEnd(context, {
      kind: 'report',
      id: reportWorkId(party, reportId),
      reportId,
      party,
      done: verified + noted,
      refused: rejected,
      code: commonest(answer.rejected.map(({ code }) => code)),
      since: about.since ?? record.takenAt ?? at,
    });
  return done;
}

/** All refusals as JSON lines; a repeat writes the same again. */
async function storeResult({ ledger, vault }: Context, id: string): Promise<ObjectRef> {
  async function* lines() {
    for await (const item of scan(ledger, reportSlicesPartition(id), { pageSize: 8 }))
      for (const { code: _, ...told } of reportSlice.from(item).rejected)
        yield utf8(`${JSON.stringify(told)}\n`);
  }
  return await vault.putStream(objectNames.reportResult(id), lines());
}

/** How far the slices are; the answer as it is so far, with the first refusals of the slices that are done. */
export async function reportProgress(
  ledger: Ledger,
  id: string,
  { reportId }: Pick<ReportWork, 'reportId'>,
): Promise<{ readonly slices: number; readonly rejected: number; readonly answer: ReportAnswer }> {
  let [slices, verified, noted, count] = [0, 0, 0, 0];
  const rejected: ReportAnswer['rejected'][number][] = [];
  for await (const item of scan(ledger, reportSlicesPartition(id), { pageSize: 8 })) {
    const slice = reportSlice.from(item);
    slices += 1;
    verified += slice.verified;
    noted += slice.noted;
    count += slice.rejected.length;
    rejected.push(...slice.rejected.slice(0, LISTED - rejected.length));
  }
  const answer = { reportId, state: 'Pending', verified, noted, rejected, rejectedCount: count } as const;
  return { slices, rejected: count, answer };
}
