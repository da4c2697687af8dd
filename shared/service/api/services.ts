import type { Bytes } from '../../codec/bytes.ts';
import type { EligibilityPolicy } from '../../euicc/eligibility.ts';
import type { RowFileFormat } from '../../profile/rows/row-file.ts';
import type { StatusName } from '../../status-codes.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { KeysSlowed } from '../records/job.ts';

/**
 * The use cases of the SM-DPf as the handlers see them. Every method may be called again with the same input, at
 * once or years later, and answers alike (I4). A method refuses with `Refusal`; what concerns one item of many is in
 * the answer, never an exception.
 */

export type Role = 'eum' | 'deviceMaker' | 'operator' | 'auditor' | 'administrator';

/** Who calls: a client certificate that the party register knows (I7). */
export interface Caller {
  /** functionRequesterIdentifier; owns orders, jobs and reports, whichever certificate it comes with. */
  readonly identifier: string;
  readonly role: Role;
  /** Lower-case hexadecimal SHA-256 of the client certificate in DER. */
  readonly fingerprint: string;
}

export interface ItemRefusal {
  /** Row of shared/status-codes.ts; the two codes follow from it. */
  readonly code: StatusName;
  readonly subjectCode: string;
  readonly reasonCode: string;
  readonly message: string;
}

// ── parties ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Parties {
  /** The party of a client certificate; refuses an unknown or revoked one. Reads the register each time. */
  identify(fingerprint: string): Promise<Caller>;
}

// ── ES2f ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** What rules and rows have in common. */
export interface PersonalisationCommon {
  /**
   * `generate`: the secrets of the template that no column gives are drawn afresh for each profile and given back
   * encrypted in the output rows. `template`: they stay as they are, which only test profiles may.
   */
  readonly keys?: 'generate' | 'template';
  /** Parameters that are the same in all profiles; none of them secret. */
  readonly constants?: Readonly<Record<string, string>>;
  /** Set the identities of the ISIM that are not given from the IMSI. */
  readonly deriveIsim?: boolean;
}

/** Values that follow a rule by position. */
export interface PersonalisationRules extends PersonalisationCommon {
  /** ICCID of position 0 without its Luhn digit (18 or 19 digits); position n adds n. */
  readonly iccidStart: string;
  /** IMSI of position 0; position n adds n. Left as in the template when absent. */
  readonly imsiStart?: string;
}

/** Values in rows of the Operator's own, one per profile, in the order of the positions: see `OrderInput.rows`. */
export interface PersonalisationRows extends PersonalisationCommon {
  readonly format: RowFileFormat;
}

export type Personalisation = PersonalisationRules | PersonalisationRows;

export interface OrderInput {
  readonly orderId: string;
  readonly profileType: string;
  readonly quantity: number;
  /** functionRequesterIdentifiers of the device manufacturers that may draw from the order. */
  readonly requesterDms: readonly string[];
  /** How many profiles each of them may draw at most; a maker that is not named may draw all there are. */
  readonly shares?: Readonly<Record<string, number>>;
  /** Unprotected Profile Package, or the upload that holds it, which is destroyed once the order is taken. */
  readonly template: Bytes | ObjectRef;
  readonly personalisation: Personalisation;
  /** The file of rows, or the upload that holds it; with a `format` and only with one. */
  readonly rows?: Bytes | ObjectRef;
  readonly eligibility: EligibilityPolicy;
  /** StoreMetadata fields but the ICCID, in the JSON form of shared/rsp/store-metadata.ts. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Public JWK to which generated secrets are encrypted (JWE); required with `keys: 'generate'`. */
  readonly outputKey?: Readonly<Record<string, unknown>>;
  /** Where handleProfileLoadingInfo is posted; no callbacks when absent. */
  readonly callbackUrl?: string;
}

export type OrderState =
  | 'Preparing'
  | 'Open'
  /** Taken back: what is not bound is closed, what is bound stays bound. */
  | 'Cancelled'
  /** Completed by the Operator, with the same effect on its profiles. */
  | 'Closed'
  /** A large order that was found to be bad while it was prepared: it has no profiles. */
  | 'Rejected';

export interface OrderAnswer {
  readonly orderId: string;
  readonly state: OrderState;
  readonly quantity: number;
  /** Profiles prepared so far. */
  readonly prepared: number;
  /** Present once all are prepared and the list is short (1,000 at most). */
  readonly iccids?: readonly string[];
  /** What deserves a look: keys of the template that nothing sets, and findings about the package. */
  readonly warnings?: readonly string[];
  /** Why the order was rejected; names row and column where one is to blame. */
  readonly reason?: ItemRefusal;
}

export type ProfileState =
  | 'Available'
  | 'Bound'
  | 'Delivered'
  | 'Installed'
  | 'Failed'
  | 'Unreported'
  | 'Deleted'
  | 'Closed';

export interface ProfileStatus {
  readonly iccid: string;
  readonly state: ProfileState;
  readonly eid?: string;
  /** Why, for Failed and Unreported. */
  readonly detail?: string;
}

export interface OrderStatus extends OrderAnswer {
  readonly counts: Readonly<Partial<Record<ProfileState, number>>>;
  readonly items: readonly ProfileStatus[];
  /** Give it back to get the next page. */
  readonly cursor?: string;
}

export type Jwk = Readonly<Record<string, unknown>>;

export interface ServerKeys {
  /**
   * To which rows are encrypted; `alg` is RSA-OAEP-256, or RSA-OAEP where the key's backend has SHA-1 only. Absent where
   * the server takes no encrypted rows.
   */
  readonly intakeKey?: Jwk;
  /** Under which reports and manifests are signed: ES256. */
  readonly reportKey: Jwk;
  /** `reportKey` and the keys before it, newest first: under which earlier reports and manifests were signed. */
  readonly deliveryKeys: readonly Jwk[];
}

export interface Orders {
  prepareProfiles(caller: Caller, order: OrderInput): Promise<OrderAnswer>;
  cancelOrder(
    caller: Caller,
    input: { orderId: string; iccid?: string },
  ): Promise<{ cancelled: number; refused: readonly (ItemRefusal & { iccid: string })[] }>;
  /** Ends an order that is complete for the Operator: what is not bound is closed; results still come in. */
  closeOrder(caller: Caller, input: { orderId: string }): Promise<{ closed: number }>;
  /** Takes a profile that was never committed out of its order and gives its ICCID free for another one. */
  releaseProfile(caller: Caller, input: { orderId: string; iccid: string }): Promise<void>;
  /** A new profile of the same order for the eUICC that has failed, lost or deleted this one. */
  replaceProfile(
    caller: Caller,
    input: { orderId: string; iccid: string },
  ): Promise<{ iccid: string; eid: string }>;
  /** Part of the report about an order: a compact JWS by the delivery key. */
  getOrderReport(
    caller: Caller,
    input: { orderId: string; cursor?: string },
  ): Promise<{ report: string; cursor?: string }>;
  /** Public keys of this server that the caller needs, as JWKs. */
  getServerKeys(caller: Pick<Caller, 'role'>): Promise<ServerKeys>;
  getOrderStatus(
    caller: Caller,
    input: { orderId: string; cursor?: string; limit?: number },
  ): Promise<OrderStatus>;
  /** The encrypted output rows of one pack: a compact JWE to the order's outputKey. */
  getOrderOutput(
    caller: Caller,
    input: { orderId: string; pack: number },
  ): Promise<{ packs: number; jwe: string }>;
}

/** What a request for a profile of the order would meet for one eUICC. */
export interface EligibilityVerdict {
  readonly eid: string;
  readonly refusal?: ItemRefusal;
}

export interface Eligibility {
  /** The dry run of DPFF09, in the order of the EIDs: nothing is spent and nothing is written. */
  checkEligibility(
    caller: Caller,
    input: { orderId: string; eids: readonly string[] },
  ): Promise<readonly EligibilityVerdict[]>;
}

// ── Esed1 ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface EuiccDataAnswer {
  readonly batchId: string;
  /** `Pending`: entries are still being verified; the same call again tells how far it is. */
  readonly state: 'Done' | 'Pending';
  readonly entries: number;
  readonly accepted: number;
  /** Once Done the first thousand; where there are more, all of them in the result object. */
  readonly rejected: readonly (ItemRefusal & { index: number; eid: string; keyId?: string })[];
  readonly rejectedCount: number;
}

export interface KeyToClose {
  readonly eid: string;
  /** All unused keys of the eUICC when absent. */
  readonly keyId?: string;
}

export interface CloseKeysAnswer {
  readonly closed: number;
  /** Keys that a BPP is bound to: they stay bound. */
  readonly bound: readonly { eid: string; keyId: string }[];
  readonly refused: readonly (ItemRefusal & { eid: string; keyId?: string })[];
}

export interface Ingest {
  registerEuiccData(caller: Caller, euiccDataBatch: Bytes | ObjectRef): Promise<EuiccDataAnswer>;
  closeKeys(caller: Caller, items: readonly KeyToClose[]): Promise<CloseKeysAnswer>;
}

// ── Esbpp ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface FailedItem extends ItemRefusal {
  readonly itemId: number;
}

/** Exactly one of `bppBatch` and `manifest` is present once the state is Done. */
export interface BppAnswer {
  readonly requestId: string;
  readonly state: 'Pending' | 'Done';
  readonly items: number;
  /** Items whose chunk is committed. */
  readonly processed: number;
  readonly failed: readonly FailedItem[];
  /** Present where the key service has slowed the job down so far. */
  readonly keysSlowed?: KeysSlowed;
  /** FF62, where it fits an inline answer. */
  readonly bppBatch?: Bytes;
  /** FF65 and the parts it names, for larger ones. */
  readonly manifest?: Bytes;
  readonly parts?: readonly ObjectRef[];
}

export interface Delivery {
  requestBpp(caller: Caller, bppRequest: Bytes): Promise<BppAnswer>;
  getBppBatch(caller: Caller, input: { requestId: string }): Promise<BppAnswer>;
}

export interface ReportAnswer {
  readonly reportId: string;
  /** `Pending`: items are still being verified; the same call again tells how far it is. */
  readonly state: 'Done' | 'Pending';
  /** Results signed by an eUICC that hold. */
  readonly verified: number;
  /** Unsigned words of the FPA that were taken down. */
  readonly noted: number;
  /** The first thousand; `verified` and `noted` count all others of the report. */
  readonly rejected: readonly (ItemRefusal & { itemIndex: number })[];
}

export interface Reports {
  sendProfileLoadingReport(caller: Caller, profileLoadingReport: Bytes): Promise<ReportAnswer>;
  /** ES9+ from a device in the field: no caller, trusted by signature alone. */
  handleNotification(pendingNotification: Bytes): Promise<void>;
}

// ── administration ─────────────────────────────────────────────────────────────────────────────────────────────

/** What the taking in of a revocation list did. */
export interface CrlTaken {
  /** False where this list was held already. */
  readonly isNew: boolean;
  readonly issuerKeyId: string;
  readonly number: bigint;
  /** Certificates that it revokes. */
  readonly revoked: number;
  /** SubjectKeyIdentifiers of the EUM certificates known here that it revokes. */
  readonly revokedEums: readonly string[];
}

export interface Administration {
  /**
   * Takes in a DER revocation list of a CI, an EUM or a sub-CA. `issuerChain`: certificates of an issuer that this
   * server has not met, itself first, up to below a trusted CI.
   */
  addCrl(caller: Caller, input: { crl: Bytes; issuerChain: readonly Bytes[] }): Promise<CrlTaken>;
}

/** A line of the audit log as it stands in the chain. */
export interface ChainedLine {
  readonly sequence: number;
  /** ISO 8601. */
  readonly at: string;
  readonly event: string;
  readonly by: string;
  readonly about: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Hash of the line before. */
  readonly previous: string;
  readonly hash: string;
}

/** Sequence number and hash of the last line: what proves an export complete. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
}

export interface AuditTrail {
  /** Lines from a sequence number on, in their order, and where the chain ends now. */
  getAuditLines(input: {
    from: number;
    limit: number;
  }): Promise<{ lines: readonly ChainedLine[]; head: AuditHead }>;
}

// ── transfers ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What an upload is for. */
export type TransferPurpose =
  | 'euiccData'
  | 'bppRequest'
  | 'profileLoadingReport'
  | 'template'
  | 'rows'
  | 'crl';

/** Bodies and answers above the inline limit move as objects bound to size and SHA-256. */
export interface Transfers {
  /** A URL to upload exactly this content; the transferId is then given to a function in place of the body. */
  openTransfer(
    caller: Caller,
    input: {
      purpose: TransferPurpose;
      size: number;
      sha256: string;
    },
  ): Promise<{ transferId: string; uploadUrl: string }>;
  /** The octets that were uploaded for this purpose under a transferId of this caller. */
  received(caller: Caller, transferId: string, purpose: TransferPurpose): Promise<Bytes>;
  /** The same as an object, for what is too large to be held; of rows that were used up only size and hash are left. */
  receivedObject(caller: Caller, transferId: string, purpose: TransferPurpose): Promise<ObjectRef>;
  /** A URL to download a part of an answer of this caller. */
  getTransfer(
    caller: Caller,
    input: { requestId: string; name: string },
  ): Promise<{ downloadUrl: string; size: number; sha256: string }>;
}

// ── refused calls ──────────────────────────────────────────────────────────────────────────────────────────────

/** A call that was refused as a whole: who, what and why. Never what it carried. */
export interface RefusedCall {
  /** "esbpp.requestBpp" */
  readonly function: string;
  /** Undefined where the caller is not known. */
  readonly party: string | undefined;
  readonly functionCallIdentifier: string | undefined;
  readonly subjectCode: string;
  readonly reasonCode: string;
}

export interface Calls {
  /** Takes a refused call into the audit log. */
  refused(call: RefusedCall): Promise<void>;
}

export interface Services {
  readonly parties: Parties;
  readonly calls: Calls;
  readonly orders: Orders;
  readonly eligibility: Eligibility;
  readonly ingest: Ingest;
  readonly delivery: Delivery;
  readonly reports: Reports;
  readonly administration: Administration;
  readonly audit: AuditTrail;
  readonly transfers: Transfers;
}
