import type { Bytes } from '../../codec/bytes.ts';
import { recordOf } from './record.ts';

/** The key of a role that has one at a time. Binding keys stand with their certificates in the trust partition. */
export type AssignedRole = 'wrapping' | 'delivery' | 'intake';

export interface KeyAssignment {
  /** The key in use. */
  readonly uri: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Keys that were in use before, oldest first. */
  readonly former: readonly FormerKey[];
}

export interface FormerKey {
  readonly uri: string;
  /** Milliseconds since 1970: when another took its place. */
  readonly replacedAt: number;
  /** When it was found that nothing needs it any more; from then on it may be destroyed in its backend. */
  readonly retiredAt?: number;
}

/** Where a data key is that a wrapping key wraps: of a pack, or of an order's template where `pack` is absent. */
export interface WrappedUnder {
  readonly orderId: string;
  readonly pack?: number;
}

/** A delivery key that has signed, or is about to; there for as long as anybody may verify what it signed. */
export interface DeliveryKeyRecord {
  readonly uri: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Bytes;
  /** Milliseconds since 1970: when it was first used. */
  readonly since: number;
}

export const keyAssignment = recordOf<KeyAssignment>();
export const deliveryKeyRecord = recordOf<DeliveryKeyRecord>();
export const wrappedUnder = recordOf<WrappedUnder>();
