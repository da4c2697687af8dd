import type { ObjectRef } from '../../vault/vault.ts';
import type { ReportAnswer } from '../api/esbpp.ts';
import { recordOf } from './record.ts';

/** A ProfileLoadingReport by its party and reportId: answered, or work under a name of its own. */
export interface ReportRecord {
  /** SHA-256 of the report as received. */
  readonly bodyHash: string;
  readonly answer?: ReportAnswer;
  readonly work?: string;
}

/** A report that is too large for one call, fixed when it is taken on. */
export interface ReportWork {
  readonly party: string;
  readonly reportId: string;
  readonly bodyHash: string;
  /** The report as received. */
  readonly body: ObjectRef;
  readonly sliceSize: number;
  /** Octets from the start of the report to the first item of each slice, and to the end of the items. */
  readonly sliceOffsets: readonly number[];
}

/** What came of a slice: its first and only answer. */
export interface ReportSlice {
  readonly verified: number;
  readonly noted: number;
  readonly rejected: ReportAnswer['rejected'];
}

export const sliceCount = ({ sliceOffsets }: ReportWork) => sliceOffsets.length - 1;

export const reportRecord = recordOf<ReportRecord>();
export const reportWork = recordOf<ReportWork>();
export const reportSlice = recordOf<ReportSlice>();
