import { objectRef, refusalMembers, warnings } from './common.ts';
import { type RecordOf, recordOf } from './record.ts';
import { list, object, octets, oneOf, optional, text, whole } from './schema.ts';

const rejected = list(object({ itemIndex: whole, ...refusalMembers }));

/** A ProfileLoadingReport by its party and reportId: answered, or work under a name of its own. */
export const reportRecord = recordOf('report', {
  /** SHA-256 of the report as received. */
  bodyHash: text,
  /** See service/api/esbpp.ts, `ReportAnswer`. */
  answer: optional(
    object({
      reportId: text,
      state: oneOf('Done', 'Pending'),
      verified: whole,
      noted: whole,
      rejected,
      rejectedCount: whole,
      warnings: optional(warnings),
    }),
  ),
  /** All refusals, one JSON object on each line; where there are more than an answer lists. */
  result: optional(objectRef),
  work: optional(text),
  /** Milliseconds since 1970. */
  takenAt: whole,
});

export type ReportRecord = RecordOf<typeof reportRecord>;

/** A report that is too large for one call, fixed when it is taken on. */
export const reportWork = recordOf('large report', {
  party: text,
  reportId: text,
  bodyHash: text,
  /** The report as received. */
  body: objectRef,
  sliceSize: whole,
  /** Octets from the start of the report to the first item of each slice, and to the end of the items. */
  sliceOffsets: list(whole),
  /** Hashes of the slices, as received: vault/range-hash.ts. */
  sliceHashes: octets,
});

export type ReportWork = RecordOf<typeof reportWork>;

/** What came of a slice: its first and only answer. */
export const reportSlice = recordOf('report slice', { verified: whole, noted: whole, rejected });

export type ReportSlice = RecordOf<typeof reportSlice>;

export const reportSliceCount = ({ sliceOffsets }: Pick<ReportWork, 'sliceOffsets'>) =>
  sliceOffsets.length - 1;
