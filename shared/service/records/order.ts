import type { EligibilityPolicy } from '../../euicc/eligibility.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { OrderState, Personalisation } from '../api/es2f.ts';
import type { ItemRefusal } from '../api/item-refusal.ts';
import { recordOf } from './record.ts';

/** What the Operator ordered; only `templateKey` ever changes. */
export interface OrderRecord {
  readonly operator: string;
  readonly profileType: string;
  readonly quantity: number;
  readonly requesterDms: readonly string[];
  readonly shares?: Readonly<Record<string, number>>;
  readonly personalisation: Personalisation;
  /** The Operator's rows as they came: encrypted to us, or without secrets. */
  readonly rows?: ObjectRef;
  readonly eligibility: EligibilityPolicy;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly outputKey?: Readonly<Record<string, unknown>>;
  readonly callbackUrl?: string;
  /** SHA-256 of the canonical order: the same orderId with another body is refused. */
  readonly bodyHash: string;
  /** The template, sealed under a data key of its own. */
  readonly template: ObjectRef;
  /** That data key, wrapped: shared/keys/wrapped-key.ts. Changes when the wrapping key does. */
  readonly templateKey: Uint8Array;
  /** As the template came, where it came by a transfer: destroyed once the order is taken. */
  readonly templateUpload?: ObjectRef;
  readonly packSize: number;
  readonly warnings: readonly string[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Packs of the order's own; those beyond hold one replacement each. */
export const packCount = (order: OrderRecord) => Math.ceil(order.quantity / order.packSize);

export interface OrderStateRecord {
  readonly state: OrderState;
  /** Why an order was rejected while it was prepared. */
  readonly reason?: ItemRefusal;
}

/**
 * The positions that are still to be drawn: everything from `next` on but `taken`, and what refused items gave back
 * (items of their own). A position in no draw, not returned and below `next` is one of `taken`.
 */
export interface SupplyRecord {
  readonly next: number;
  readonly end: number;
  /** Half-open runs at or above `next`, ascending, that were drawn by ICCID or cancelled one by one. */
  readonly taken: readonly (readonly [from: number, to: number])[];
}

/**
 * A replacement for a profile that was bound and is of no use: a position of its own, which only its eUICC may draw.
 * It comes from the supply, or from a pack of one beyond the order's own.
 */
export interface ReplacementRecord {
  readonly eid: string;
  readonly position: number;
}

/** A position kept for one eUICC; `drawn` once a request has taken it. */
export interface TieRecord {
  readonly position: number;
  readonly drawn: boolean;
}

/** What a device manufacturer has drawn of its share of an order, refused items among them. */
export interface ShareRecord {
  readonly drawn: number;
}

/** A pack of protected profiles; its existence commits the pack, its PPKs and its output rows together. */
export interface PackRecord {
  readonly object: ObjectRef;
  /** Octets from the start of the object to each entry, and its end: one more than there are profiles. */
  readonly offsets: readonly number[];
  readonly iccids: readonly string[];
  /** Name of the PPKs in the PPK vault. */
  readonly ppks: string;
  /**
   * Name of an entry of the PPK vault whose header is the pack's data key, wrapped (shared/keys/wrapped-key.ts). It
   * stands apart from the PPKs so that it can be replaced, and the old form destroyed, while PPKs are destroyed.
   */
  readonly dataKey: string;
  readonly output?: ObjectRef;
}

export const orderRecord = recordOf<OrderRecord>();
export const orderStateRecord = recordOf<OrderStateRecord>();
export const supplyRecord = recordOf<SupplyRecord>();
export const replacementRecord = recordOf<ReplacementRecord>();
export const tieRecord = recordOf<TieRecord>();
export const shareRecord = recordOf<ShareRecord>();
export const packRecord = recordOf<PackRecord>();
