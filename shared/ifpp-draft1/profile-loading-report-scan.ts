import type { Bytes } from '../codec/bytes.ts';
import { fieldsOfStart, openMessage, scanLastList } from './message-scan.ts';
import { MAX_REPORT_ITEMS, readReportId } from './profile-loading-report.ts';
import { TAG } from './tags.ts';

/** The fields before the items, and the header of what follows them, are within this many octets. */
export const REPORT_START = 64;

/** The reportId, from the first octets of a report of `size` octets. */
export function readReportStart(octets: Bytes, size: number): string {
  return readReportId(fieldsOfStart(octets, size, REPORT));
}

/** Where the items of a report stand that are too many to be held. */
export interface ReportFrame {
  readonly reportId: string;
  readonly items: number;
  /** Offset of the first item of each slice, and of the end of the items: one more than there are slices. */
  readonly sliceOffsets: readonly number[];
}

/**
 * Walks a report of `size` octets once with flat memory; what is inside of its items is not looked at. Takes and refuses what
 * `decodeProfileLoadingReport` does, and refuses besides an item that leaves no room for the others of its slice.
 */
export async function scanProfileLoadingReport(
  octets: AsyncIterable<Bytes>,
  size: number,
  sliceSize: number,
): Promise<ReportFrame> {
  const { first: reportId, stream } = await openMessage(octets, size, REPORT, readReportId);
  const sliceOffsets: number[] = [];
  let items = 0;
  const end = await scanLastList(stream, size, ITEMS, sliceSize, ({ offset }, index) => {
    if (index % sliceSize === 0) sliceOffsets.push(offset);
    items = index + 1;
  });
  return { reportId, items, sliceOffsets: [...sliceOffsets, end] };
}

const REPORT = { tag: TAG.profileLoadingReport, name: 'ProfileLoadingReport', start: REPORT_START } as const;
const ITEMS = { tag: 0xa2, name: 'items', path: 'FF63', maxItems: MAX_REPORT_ITEMS } as const;
