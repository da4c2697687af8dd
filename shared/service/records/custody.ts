import { type RecordOf, recordOf } from './record.ts';
import { list, object, octets, oneOf, optional, type TypeOf, text, whole } from './schema.ts';

/** The key of a role that has one at a time. Binding keys stand with their certificates in the trust partition. */
export type AssignedRole = 'wrapping' | 'delivery' | 'intake' | 'longTerm';

const formerKey = object({
  uri: text,
  /** Milliseconds since 1970: when another took its place. */
  replacedAt: whole,
  /** When it was found that nothing needs it any more; from then on it may be destroyed in its backend. */
  retiredAt: optional(whole),
});

export type FormerKey = TypeOf<typeof formerKey>;

export const keyAssignment = recordOf('key assignment', {
  /** The key in use. */
  uri: text,
  /** Milliseconds since 1970. */
  since: whole,
  /** Keys that were in use before, oldest first. */
  former: list(formerKey),
});

export type KeyAssignment = RecordOf<typeof keyAssignment>;

/**
 * Where a data key is that a wrapping key wraps: of a pack of an order, of an order's template where `pack` is absent, or of
 * a key for callbacks.
 */
export const wrappedUnder = recordOf('data key', {
  orderId: optional(text),
  pack: optional(whole),
  callbackKey: optional(oneOf('signing', 'client')),
});

export type WrappedUnder = RecordOf<typeof wrappedUnder>;

/** A delivery or long-term key that has signed, or is about to; there for as long as anybody may verify what it signed. */
export const deliveryKeyRecord = recordOf('delivery key', {
  uri: text,
  /** SubjectPublicKeyInfo in DER. */
  publicKey: octets,
  /** Milliseconds since 1970: when it was first used. */
  since: whole,
});

export type DeliveryKeyRecord = RecordOf<typeof deliveryKeyRecord>;

/** A key that was made by a command and is not in use yet: a binding key waits for its certificate. */
export const waitingKey = recordOf('waiting key', {
  uri: text,
  role: oneOf('binding', 'delivery', 'wrapping', 'intake', 'longTerm'),
  /** Milliseconds since 1970. */
  since: whole,
});

export type WaitingKey = RecordOf<typeof waitingKey>;
