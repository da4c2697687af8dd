import type { Bytes } from '../../codec/bytes.ts';
import type { EligibilityPolicy } from '../../euicc/eligibility.ts';
import type { RowFileFormat } from '../../profile/rows/row-file.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Warning } from '../../warnings.ts';
import type { Caller } from './caller.ts';
import type { ItemRefusal } from './item-refusal.ts';

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
  /** ICCID of position 0 without its Luhn digit, whatever its last digit is: 18 digits make ICCIDs of 19, 19 of 20. */
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
  /**
   * EuiccInfo2 (BF22) of the eUICCs that the Operator means the order for: an order whose profiles would not install on
   * one of them is refused, and what may go wrong is warned of.
   */
  readonly expectedEuiccs?: readonly Bytes[];
  /** Where handleProfileLoadingInfo is posted; no callbacks when absent. */
  readonly callbackUrl?: string;
  /** PEM of the CAs that alone issue the certificate of that server; those of the deployment when absent. */
  readonly callbackCa?: string;
  /** How many notices a call to that server may carry, 1 to 100: each call has an array then. One, and no array, when absent. */
  readonly callbackBatch?: number;
}

/** The states of an order, in the order of its life. */
export const ORDER_STATES = [
  'Preparing',
  'Open',
  /** Taken back: what is not bound is closed, what is bound stays bound. */
  'Cancelled',
  /** Completed by the Operator, with the same effect on its profiles. */
  'Closed',
  /** A large order that was found to be bad while it was prepared: it has no profiles. */
  'Rejected',
] as const;

export type OrderState = (typeof ORDER_STATES)[number];

export interface OrderAnswer {
  readonly orderId: string;
  readonly state: OrderState;
  readonly quantity: number;
  /** Profiles prepared so far. */
  readonly prepared: number;
  /** Present once all are prepared and the list is short (1,000 at most). */
  readonly iccids?: readonly string[];
  readonly warnings?: readonly Warning[];
  /** Why the order was rejected; names row and column where one is to blame. */
  readonly reason?: ItemRefusal;
}

/** The states of a profile, in the order of its life. */
export const PROFILE_STATES = [
  'Available',
  'Bound',
  'Delivered',
  'Installed',
  'Failed',
  'Unreported',
  'Deleted',
  'Closed',
] as const;

export type ProfileState = (typeof PROFILE_STATES)[number];

/** In which a profile is of no use to its eUICC any more, as far as anybody said: another one may be asked for. */
export const REPLACEABLE: readonly ProfileState[] = ['Failed', 'Unreported', 'Deleted'];

export interface ProfileStatus {
  readonly iccid: string;
  readonly state: ProfileState;
  readonly eid?: string;
  /** Why, for Failed and Unreported. */
  readonly detail?: string;
}

/** How callbacks do. */
export interface CallbackHealth {
  /** Not taken yet, `delayed` among them. */
  readonly waiting: number;
  /** Posted at least once and not taken. */
  readonly delayed: number;
  /** Given up after all attempts, until they are replayed. */
  readonly parked: number;
  /** There are more than these counts say. */
  readonly more?: true;
  /** ISO 8601: since when the oldest waits. */
  readonly oldest?: string;
  /** ISO 8601: when one of `delayed` is posted next. */
  readonly nextAttempt?: string;
  /** Why a callback was not taken last. */
  readonly lastFailure?: string;
}

/** How far the end of an order is, as long as it is under way: parts of up to 1,000 profiles. */
export interface OrderClosing {
  readonly done: number;
  readonly of: number;
}

export interface OrderStatus extends OrderAnswer {
  /** Of an order with a callbackUrl. */
  readonly callbacks?: CallbackHealth;
  readonly closing?: OrderClosing;
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
  /** ML-DSA-65, newest first, where the server signs twice: then both signatures must hold. */
  readonly longTermKeys?: readonly Jwk[];
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
  ): Promise<{ report: string; longTermSignature?: string; cursor?: string }>;
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
