import type { Warning } from '../../warnings.ts';
import type { ChainedLine } from './admin.ts';
import type { ApprovalList } from './approvals.ts';
import type { PartyRole } from './caller.ts';
import type { CallbackHealth, OrderClosing, OrderState, ProfileState } from './es2f.ts';
import type { ItemRefusal } from './item-refusal.ts';
import type {
  CallEntry,
  ExpiringEntry,
  FailureCount,
  FailureEntry,
  FailureFilter,
  KeysLeft,
  TimeRange,
} from './ops-troubles.ts';

export type * from './ops-troubles.ts';

/**
 * What an Operator's people see of a deployment, and what its administrators change: the functions `ops.*`, and the
 * commands and pages that stand on them. Times are ISO 8601 in UTC. Every answer costs a bounded number of reads, whatever
 * the size of what it tells of; what is longer than a page ends with a `cursor`, and a page may have fewer entries than
 * `limit`, or none, and still a cursor.
 */

/** A page is asked for by the cursor of the one before. */
export interface PageRequest {
  readonly cursor?: string;
  /** Entries of a page at most: 1 to 1,000; 100 unless given. */
  readonly limit?: number;
}

export type ProfileCounts = Readonly<Partial<Record<ProfileState, number>>>;

export interface OrderSummary {
  readonly orderId: string;
  /** functionRequesterIdentifier. */
  readonly operator: string;
  readonly profileType: string;
  readonly state: OrderState;
  readonly quantity: number;
  readonly prepared: number;
  readonly createdAt: string;
  /** Profiles by their state. */
  readonly counts: ProfileCounts;
}

/** What a day changed: profiles that came into a state, less those that left it. */
export interface DayOfOrder {
  /** YYYY-MM-DD, in UTC. */
  readonly day: string;
  readonly changes: ProfileCounts;
}

export interface OrderDetail extends OrderSummary {
  readonly requesterDms: readonly string[];
  readonly shares?: Readonly<Record<string, number>>;
  readonly warnings?: readonly Warning[];
  /** Why it was rejected. */
  readonly reason?: Omit<ItemRefusal, 'code'>;
  /** Of an order that has a callbackUrl. */
  readonly callbacks?: CallbackHealth;
  readonly closing?: OrderClosing;
  /** Ascending; days without a change are left out. */
  readonly days: readonly DayOfOrder[];
}

export interface ProfileEntry {
  /** Place in the order, from 0. */
  readonly position: number;
  readonly iccid: string;
  readonly state: ProfileState;
  readonly eid?: string;
  readonly transactionId?: string;
  /** Why, in words. */
  readonly detail?: string;
  /** When it came into this state, where that is stored. */
  readonly at?: string;
}

export interface JobSummary {
  readonly jobId: string;
  readonly requestId: string;
  /** The device manufacturer. */
  readonly party: string;
  readonly orderId: string;
  /** 0 of a large request as long as it is being read, and of one that was refused. */
  readonly items: number;
  readonly createdAt: string;
  /** `Refused`: a large request that is none; none of its items was looked at. */
  readonly state: 'Pending' | 'Done' | 'Refused';
  /** Why it was refused. */
  readonly reason?: Omit<ItemRefusal, 'code'>;
  readonly bound: number;
  readonly refused: number;
  readonly chunks: number;
  readonly committedChunks: number;
}

export interface RefusedJobItem extends ItemRefusal {
  readonly itemId: number;
  readonly eid: string;
}

export interface JobDetail extends JobSummary {
  /** Items that were refused, of the chunks of this page. */
  readonly refusedItems: readonly RefusedJobItem[];
  readonly cursor?: string;
}

export interface IngestSummary {
  readonly batchId: string;
  readonly party: string;
  /** Absent as long as it is being read, and of one that was refused. */
  readonly entries?: number;
  readonly takenAt: string;
  /** `Refused`: it is no batch; none of its entries was looked at. */
  readonly state: 'Pending' | 'Done' | 'Refused';
  /** Why it was refused. */
  readonly reason?: Omit<ItemRefusal, 'code'>;
  readonly accepted: number;
  readonly rejected: number;
}

export interface ReportSummary {
  readonly reportId: string;
  readonly party: string;
  readonly takenAt: string;
  readonly state: 'Pending' | 'Done';
  readonly verified: number;
  readonly noted: number;
  readonly rejected: number;
}

export interface RejectedReportEntry extends ItemRefusal {
  readonly itemIndex: number;
}

export interface ReportDetail extends ReportSummary {
  /** Items that were rejected: a page. */
  readonly rejectedItems: readonly RejectedReportEntry[];
  readonly cursor?: string;
}

export type PartyState = 'valid' | 'endsSoon' | 'expired' | 'suspended' | 'revoked';

/** A client certificate of the register. */
export interface PartyEntry {
  readonly identifier: string;
  readonly role: PartyRole;
  readonly fingerprint: string;
  readonly name?: string;
  readonly addedAt: string;
  readonly notAfter?: string;
  readonly state: PartyState;
}

/** A callback to an Operator that was not taken yet. */
export interface CallbackEntry {
  readonly orderId: string;
  /** functionCallIdentifier. */
  readonly call: string;
  /** Scheme, host and port. */
  readonly to: string;
  readonly state: 'waiting' | 'parked';
  readonly createdAt: string;
  readonly attempts: number;
  /** Of one that waits. */
  readonly dueAt?: string;
  /** Of one that was given up. */
  readonly parkedAt?: string;
  readonly reason?: string;
}

export interface HistoryEntry {
  readonly at: string;
  /** `registered`, `ordered`, `bound`, `delivered`, or the state that the profile came into. */
  readonly event: string;
  /** The cause, in words. */
  readonly detail?: string;
  readonly orderId?: string;
  readonly iccid?: string;
  readonly eid?: string;
  readonly transactionId?: string;
}

export interface ProfileDetail {
  readonly iccid: string;
  readonly orderId: string;
  readonly position: number;
  readonly state: ProfileState;
  readonly eid?: string;
  readonly transactionId?: string;
  readonly jobId?: string;
  readonly requestId?: string;
  /** The device manufacturer that it was bound for. */
  readonly party?: string;
  readonly keyId?: string;
  readonly detail?: string;
  /** By time. */
  readonly history: readonly HistoryEntry[];
}

/** `bound`: a commit took it. `used`: the eUICC has said what became of it. `claimed`: a request tries to take it. */
export type OneTimeKeyState = 'free' | 'claimed' | 'bound' | 'used' | 'closed';

export interface DeviceKey {
  readonly keyId: string;
  readonly state: OneTimeKeyState;
  readonly transactionId?: string;
}

export interface DeviceDetail {
  readonly eid: string;
  /** The first eight digits of the EID, which name its EUM. */
  readonly ein: string;
  readonly suite: string;
  readonly ciPkId: string;
  /** End of the eUICC certificate. */
  readonly notAfter: string;
  readonly revokedAt?: string;
  readonly deviceManufacturers: readonly string[];
  readonly keys: readonly DeviceKey[];
  readonly profiles: readonly ProfileDetail[];
  /** Of all its profiles, by time. */
  readonly history: readonly HistoryEntry[];
}

/** What a requestId, batchId or reportId names; several parties may have used the same one. */
export interface FoundRequests {
  readonly jobs: readonly JobSummary[];
  readonly ingests: readonly IngestSummary[];
  readonly reports: readonly ReportSummary[];
}

export interface HealthCheck {
  readonly name: 'keys' | 'ledger' | 'vault' | 'PPK vault' | 'CRLs' | 'callbacks' | 'clock' | 'disk' | 'TLS';
  readonly state: 'ok' | 'ill';
  /** Of one that is ill: what, in words. */
  readonly problem?: string;
}

export interface Health {
  /** No check is ill that keeps the server from its work. */
  readonly ready: boolean;
  readonly checks: readonly HealthCheck[];
}

/** A key that its service slowed, or that was slow by itself, the last time that it was. */
export interface SlowKey {
  /** What the key service calls it, or its URI. */
  readonly key: string;
  /** `sign`, `unwrapDataKey` … */
  readonly call: string;
  readonly reason: 'throttled' | 'transient' | 'slow';
  /** Calls within some seconds, and how long they took or waited together. */
  readonly times: number;
  readonly waitedMs: number;
  readonly at: string;
}

export interface Overview {
  readonly at: string;
  readonly orders: Readonly<Partial<Record<OrderState, number>>>;
  /** Profiles of the newest orders by state, at most of 100 orders. */
  readonly stock: ProfileCounts;
  /** Changes of today (UTC) in these orders. */
  readonly today: ProfileCounts;
  /** There are more orders than the answer looked at. */
  readonly more: boolean;
  readonly openWork: Readonly<Record<string, number>>;
  readonly callbacks: { readonly waiting: number; readonly parked: number; readonly more: boolean };
  readonly failures: readonly FailureCount[];
  /** Keys whose calls were slowed, or took more than half a second, within the last 15 minutes. */
  readonly slowKeys: readonly SlowKey[];
  /** What ends within 30 days. */
  readonly expiring: readonly ExpiringEntry[];
  readonly health: Health;
}

/** Certificates, lists and keys that this deployment stands on. */
export interface TrustEntry {
  readonly kind: 'ci' | 'eum' | 'dppb' | 'crl' | 'key';
  /** SubjectKeyIdentifier, key ID or role. */
  readonly id: string;
  readonly name: string;
  /** `active`, `retired`, `trusted`, `current`, `stale` … */
  readonly state: string;
  readonly party?: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** SHA-256 of the certificate. */
  readonly certificate?: string;
}

type Page<Name extends string, Entry> = { readonly [N in Name]: readonly Entry[] } & {
  readonly cursor?: string;
};

export interface AuditExportRequest {
  readonly format: 'csv' | 'json';
  /** A sequence number; 1 unless given. */
  readonly from?: number;
  readonly event?: string;
  /** A caller, or a person. */
  readonly by?: string;
}

export interface AuditExport {
  /** CSV (RFC 4180) or JSON Lines. */
  readonly content: string;
  /** Compact JWS by the delivery key: over the SHA-256 of the content in UTF-8, which lines it is of, where the chain ended. */
  readonly statement: string;
  readonly longTermSignature?: string;
  /** In the content. */
  readonly lines: number;
  /** Sequence numbers that were looked at. */
  readonly from: number;
  readonly to: number;
  /** Where the rest begins. */
  readonly next?: number;
}

/** For people who look: role `viewer`, and every role that may more. */
export interface Inventory {
  getOverview(): Promise<Overview>;
  getHealth(): Promise<Health>;
  /** The newest first. */
  listOrders(
    input: PageRequest & { operator?: string; state?: OrderState },
  ): Promise<Page<'orders', OrderSummary>>;
  getOrder(input: { orderId: string }): Promise<OrderDetail>;
  /** By position; with `state`, only those in it. */
  listProfiles(
    input: PageRequest & { orderId: string; state?: ProfileState; from?: number },
  ): Promise<Page<'profiles', ProfileEntry>>;
  /** The newest first; `open`: only those under way. */
  listJobs(
    input: PageRequest & { orderId?: string; party?: string; open?: boolean },
  ): Promise<Page<'jobs', JobSummary>>;
  getJob(input: PageRequest & { jobId: string }): Promise<JobDetail>;
  /** The newest first. */
  listIngests(input: PageRequest & { party?: string }): Promise<Page<'ingests', IngestSummary>>;
  /** The newest first. */
  listReports(input: PageRequest & { party?: string }): Promise<Page<'reports', ReportSummary>>;
  getReport(input: PageRequest & { party: string; reportId: string }): Promise<ReportDetail>;
  listParties(): Promise<{ readonly parties: readonly PartyEntry[] }>;
  /** By order. */
  listCallbacks(
    input: PageRequest & { state: 'waiting' | 'parked'; orderId?: string },
  ): Promise<Page<'callbacks', CallbackEntry>>;
  findDevice(input: { eid: string }): Promise<DeviceDetail>;
  /** By exactly one of the two. */
  findProfile(input: { iccid?: string; transactionId?: string }): Promise<ProfileDetail>;
  findRequest(input: { requestId: string }): Promise<FoundRequests>;
  /** The newest first. Calls that were refused as a whole are listed by `kind: 'call'` alone. */
  listFailures(input: PageRequest & FailureFilter): Promise<Page<'failures', FailureEntry>>;
  /** The most frequent first; `more`: there are more failures in that time than were counted. */
  countFailures(
    input: FailureFilter,
  ): Promise<{ readonly failures: readonly FailureCount[]; readonly more: boolean }>;
  /** What ends within so many days, the next first. */
  listExpiring(input: { days: number }): Promise<{ readonly expiring: readonly ExpiringEntry[] }>;
  /** A page counts a stretch of the eUICCs: the groups of all pages add up. `limit` says nothing here. */
  listKeysLeft(input: PageRequest & { party?: string; ein?: string }): Promise<Page<'keysLeft', KeysLeft>>;
  /** The newest first. */
  listCalls(
    input: PageRequest & TimeRange & { party?: string; function?: string },
  ): Promise<Page<'calls', CallEntry>>;
  listTrust(): Promise<{ readonly trust: readonly TrustEntry[] }>;
  /** What takes two persons, who they can be, and what waits for the second one: open requests first, then those that are over. */
  listApprovals(): Promise<ApprovalList>;
  /** Lines of the audit log, the newest first: those before a sequence number, or all. */
  listAuditLines(
    input: PageRequest & { before?: number; event?: string; by?: string },
  ): Promise<Page<'lines', ChainedLine>>;
  /** Lines of the audit log from a sequence number on, as a file that is signed. */
  exportAuditLines(input: AuditExportRequest): Promise<AuditExport>;
}
