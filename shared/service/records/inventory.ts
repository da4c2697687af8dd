import { type RecordOf, recordOf } from './record.ts';
import { dictionary, integer, list, object, oneOf, optional, text, whole } from './schema.ts';

/**
 * What the inventory is read from: lists by time, counts, failures and calls. Each is written in the transaction of what it
 * tells of (service/counts).
 */

/** What there are lists by time of. */
export const LISTED_KINDS = ['order', 'job', 'ingest', 'report'] as const;
export type ListedKind = (typeof LISTED_KINDS)[number];

/** An entry of such a list, under its time and its identifier. */
export const listedEntry = recordOf('listed entry', {
  /** Whose it is: an Operator, a device manufacturer, an EUM. */
  party: optional(text),
  /** The orderId, or the batchId or reportId that the party gave. */
  name: text,
  /** Of a lane of jobs that were bound just in time: the positions that were laid out for them. */
  positions: optional(list(whole)),
});

export type ListedEntry = RecordOf<typeof listedEntry>;

/**
 * What a day changed in an order, by state: profiles that came into it less those that left it. Several items of a day stand
 * side by side, so that those who write at once do not meet at one; their sum over all days is what there is.
 */
export const orderCount = recordOf('order count', { changes: dictionary(integer) });

/** How far a job of many chunks is: what its commits add up to, in items side by side as those of an order. */
export const jobCount = recordOf('job count', {
  chunks: whole,
  /** Of them those that are finished: only then are they delivered, and with the last one the job ends. */
  finished: whole,
  bound: whole,
  refused: whole,
  /** Chunks by what most of their refused items were refused for. */
  causes: dictionary(whole),
  keysSlowed: optional(object({ times: whole, waitedMs: whole })),
});

export const FAILURE_KINDS = ['call', 'item', 'profile', 'reportItem', 'euiccData'] as const;

/** What failed together: the refused items of a chunk, of a slice, or of a report, by code and EUM. */
export const failureRecord = recordOf('failures', {
  kind: oneOf(...FAILURE_KINDS),
  party: optional(text),
  orderId: optional(text),
  jobId: optional(text),
  function: optional(text),
  failures: list(
    object({
      /** A row of shared/status-codes.ts, or the error of an eUICC or an FPA. */
      code: text,
      count: whole,
      /** The first eight digits of the EIDs. */
      ein: optional(text),
      /** Of the first of them. */
      eid: optional(text),
      iccid: optional(text),
      detail: optional(text),
    }),
  ),
});

export type FailureRecord = RecordOf<typeof failureRecord>;

/** Calls of one minute, as one process has counted them. */
export const callCounts = recordOf('call counts', {
  calls: list(
    object({
      party: optional(text),
      function: text,
      status: oneOf('Executed-Success', 'Executed-WithWarning', 'Failed'),
      subjectCode: optional(text),
      reasonCode: optional(text),
      count: whole,
    }),
  ),
});

export type CallCounts = RecordOf<typeof callCounts>;
