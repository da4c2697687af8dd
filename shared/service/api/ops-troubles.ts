/** What an Operator's people look for when something is wrong: failures, what ends, what runs out, who called. */

/** From `since` (inclusive) to `until` (exclusive). */
export interface TimeRange {
  readonly since?: string;
  readonly until?: string;
}

/** `item`: refused at binding. `profile`: not installed. `reportItem`, `euiccData`: refused as it came in. */
export const FAILURE_KINDS = ['call', 'item', 'profile', 'reportItem', 'euiccData'] as const;

export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Which failures are asked for; members that are not given say nothing. */
export interface FailureFilter extends TimeRange {
  readonly kind?: FailureKind;
  /** A row of shared/status-codes.ts, or the error of an eUICC or an FPA. */
  readonly code?: string;
  /** The party whose call, request or report it was. */
  readonly party?: string;
  readonly ein?: string;
  readonly orderId?: string;
}

/** What a code means, and what to do. */
export interface Explained {
  readonly code: string;
  readonly subjectCode?: string;
  readonly reasonCode?: string;
  readonly meaning: string;
  readonly todo: string;
}

/** One failure, or several of one kind and code that happened together. */
export interface FailureEntry extends Explained {
  readonly at: string;
  readonly kind: FailureKind;
  readonly count: number;
  readonly party?: string;
  readonly ein?: string;
  readonly orderId?: string;
  readonly jobId?: string;
  readonly eid?: string;
  readonly iccid?: string;
  readonly function?: string;
  readonly detail?: string;
}

export interface FailureCount extends Explained {
  readonly kind: FailureKind;
  readonly count: number;
  readonly party?: string;
  readonly ein?: string;
  readonly lastAt: string;
}

/** `ci`, `dppb`, `eum`, `crl`: trust. `party`: a client certificate. `tls`: of this server. `callback`: its client certificate. */
export type ExpiringKind = 'dppb' | 'ci' | 'eum' | 'crl' | 'party' | 'tls' | 'callback';

export interface ExpiringEntry {
  readonly kind: ExpiringKind;
  readonly name: string;
  readonly notAfter: string;
  /** Whole days; below 0 where it has ended. */
  readonly daysLeft: number;
  readonly todo: string;
}

export interface KeysLeft {
  /** Those who may bind them; sorted. */
  readonly deviceManufacturers: readonly string[];
  /** The first eight digits of EIDs, which name the EUM. */
  readonly ein: string;
  readonly registered: number;
  readonly bound: number;
  readonly closed: number;
  readonly left: number;
}

/** Calls of one party to one function with one outcome, as one process counted them in a minute. */
export interface CallEntry {
  readonly at: string;
  readonly party?: string;
  readonly function: string;
  readonly status: 'Executed-Success' | 'Executed-WithWarning' | 'Failed';
  readonly subjectCode?: string;
  readonly reasonCode?: string;
  readonly count: number;
}
