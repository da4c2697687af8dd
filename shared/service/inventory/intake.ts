import { refuse } from '../../errors.ts';
import type { Item } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { ifPresent, present } from '../../present.ts';
import { STATUS_CODES } from '../../status-codes.ts';
import type { IngestSummary, Inventory, ReportDetail, ReportSummary } from '../api/ops.ts';
import type { Context } from '../context.ts';
import { ingestIdOf } from '../esed1/euicc-batches.ts';
import { type IngestRecord, ingestRecord, sliceProgress } from '../records/ingest.ts';
import { listedEntry } from '../records/inventory.ts';
import {
  ingestPartition,
  ledgerKeys,
  listedPartition,
  PROGRESS,
  reportSlicesPartition,
} from '../records/keys.ts';
import { type ReportRecord, reportRecord, reportSlice } from '../records/report.ts';
import { limitOf, pageOf } from './page.ts';
import { iso, splitSort } from './times.ts';

/** Slices that are looked at: of a batch of a million entries there are 2,000. */
const SLICES = 4_000;

/** Batches of eUICC data by time. */
export async function listIngests(
  context: Context,
  { party, ...request }: Parameters<Inventory['listIngests']>[0],
): Promise<{ ingests: readonly IngestSummary[]; cursor?: string }> {
  const source = { partition: listedPartition('ingest'), descending: true } as const;
  const { entries: ingests, cursor } = await pageOf(context.ledger, request, source, async (items) => {
    const wanted = items.map((item) => ({ id: splitSort(item.sort).id, ...listedEntry.from(item) }));
    const stored = await context.ledger.getMany(wanted.map(({ id }) => ledgerKeys.ingest(id)));
    return await Promise.all(
      wanted.map(async (entry, i) => {
        const item = stored[i];
        if (item === undefined || (party !== undefined && entry.party !== party)) return [];
        return [await ingestOf(context, entry.id, item)];
      }),
    );
  });
  return { ingests, ...present({ cursor }) };
}

async function ingestOf({ ledger }: Context, id: string, item: Item): Promise<IngestSummary> {
  const { batchId, party, frame, refused, takenAt, done } = ingestRecord.from(item);
  let [accepted, rejected] = [done?.accepted ?? 0, done?.rejected ?? 0];
  if (done === undefined) {
    const slices = await scanAll(ledger, ingestPartition(id), { prefix: PROGRESS });
    for (const slice of slices.slice(0, SLICES).map(sliceProgress.from)) {
      accepted += slice.accepted;
      rejected += slice.rejected;
    }
  }
  return {
    batchId: batchId.toUpperCase(),
    party,
    ...present({ entries: frame?.entries }),
    takenAt: iso(takenAt),
    state: refused !== undefined ? 'Refused' : done === undefined ? 'Pending' : 'Done',
    ...present({ reason: ifPresent(refused, reasonOf) }),
    accepted,
    rejected,
  };
}

/** Why a batch or a large request is none, as people are told. */
export function reasonOf({
  code,
  message,
}: Pick<NonNullable<IngestRecord['refused']>, 'code' | 'message'>): IngestSummary['reason'] {
  const { subject: subjectCode, reason: reasonCode } = STATUS_CODES[code];
  return { subjectCode, reasonCode, message };
}

/** The batches that these parties have sent under this identifier. */
export async function ingestsNamed(
  context: Context,
  parties: readonly string[],
  batchId: string,
): Promise<IngestSummary[]> {
  const ids = parties.map((party) => ingestIdOf(party, batchId));
  const items = await context.ledger.getMany(ids.map((id) => ledgerKeys.ingest(id)));
  return await Promise.all(
    items.flatMap((item, i) => (item === undefined ? [] : [ingestOf(context, ids[i] ?? '', item)])),
  );
}

/** Loading reports by time. */
export async function listReports(
  context: Context,
  { party, ...request }: Parameters<Inventory['listReports']>[0],
): Promise<{ reports: readonly ReportSummary[]; cursor?: string }> {
  const source = { partition: listedPartition('report'), descending: true } as const;
  const { entries: reports, cursor } = await pageOf(context.ledger, request, source, async (items) => {
    const wanted = items.map((item) => {
      const { name: reportId, party: sender = '' } = listedEntry.from(item);
      return { reportId, sender };
    });
    const stored = await context.ledger.getMany(
      wanted.map(({ reportId, sender }) => ledgerKeys.report(sender, reportId)),
    );
    return await Promise.all(
      wanted.map(async ({ reportId, sender }, i) => {
        const item = stored[i];
        if (item === undefined || (party !== undefined && sender !== party)) return [];
        return [await reportOf(context, sender, reportId, reportRecord.from(item))];
      }),
    );
  });
  return { reports, ...present({ cursor }) };
}

async function reportOf(
  { ledger }: Context,
  party: string,
  reportId: string,
  { answer, work, takenAt }: ReportRecord,
): Promise<ReportSummary> {
  const total = {
    verified: answer?.verified ?? 0,
    noted: answer?.noted ?? 0,
    rejected: answer?.rejectedCount ?? 0,
  };
  if (answer === undefined && work !== undefined) {
    // slices may have megabytes of refusals: those of one page
    const { items } = await ledger.query(reportSlicesPartition(work), { limit: 100 });
    for (const slice of items.map(reportSlice.from)) {
      total.verified += slice.verified;
      total.noted += slice.noted;
      total.rejected += slice.rejected.length;
    }
  }
  return {
    reportId: reportId.toUpperCase(),
    party,
    takenAt: iso(takenAt),
    state: answer === undefined ? 'Pending' : 'Done',
    ...total,
  };
}

/** The reports that these parties have sent under this identifier. */
export async function reportsNamed(
  context: Context,
  parties: readonly string[],
  reportId: string,
): Promise<ReportSummary[]> {
  const items = await context.ledger.getMany(parties.map((party) => ledgerKeys.report(party, reportId)));
  return await Promise.all(
    items.flatMap((item, i) =>
      item === undefined ? [] : [reportOf(context, parties[i] ?? '', reportId, reportRecord.from(item))],
    ),
  );
}

/** One report, and the items that were rejected, a page at a time: those of the answer, then what its slices have. */
export async function getReport(
  context: Context,
  { party, reportId: asked, ...request }: Parameters<Inventory['getReport']>[0],
): Promise<ReportDetail> {
  const reportId = asked.toLowerCase();
  const item = await context.ledger.get(ledgerKeys.report(party, reportId));
  if (item === undefined)
    refuse('requestUnknown', 'the party has sent no report with this identifier', {
      subjectIdentifier: asked,
    });
  const record = reportRecord.from(item);
  const summary = await reportOf(context, party, reportId, record);
  if (record.work !== undefined) {
    const source = { partition: reportSlicesPartition(record.work) };
    const { entries, cursor } = await pageOf(context.ledger, request, source, async (slices) =>
      slices.map((slice) => reportSlice.from(slice).rejected.map(rejectedEntry)),
    );
    return { ...summary, rejectedItems: entries, ...present({ cursor }) };
  }
  const all = record.answer?.rejected ?? [];
  const start = request.cursor === undefined ? 0 : startOf(request.cursor, all.length);
  const end = Math.min(all.length, start + limitOf(request));
  const rejectedItems = all.slice(start, end).map(rejectedEntry);
  return { ...summary, rejectedItems, ...(end < all.length && { cursor: String(end) }) };
}

function rejectedEntry({
  itemIndex,
  code,
  message,
}: NonNullable<ReportRecord['answer']>['rejected'][number]) {
  const { subject: subjectCode, reason: reasonCode } = STATUS_CODES[code];
  return { itemIndex, code, subjectCode, reasonCode, message };
}

function startOf(cursor: string, count: number): number {
  const start = /^[0-9]{1,10}$/.test(cursor) ? Number(cursor) : count + 1;
  return start <= count ? start : refuse('protocolFormat', 'the cursor is not one that this list gave');
}
