import { type RecordOf, recordOf } from './record.ts';
import { list, octets, text, whole } from './schema.ts';

/** A private key (PKCS#8) that is at rest only under a data key, which the wrapping key wraps (service/keys/sealed.ts). */
const sealedKey = {
  /** SubjectPublicKeyInfo in DER. */
  publicKey: octets,
  sealed: octets,
  wrappedKey: octets,
};

/** The short-lived key that signs callbacks, with the word of a delivery key for it. */
export const callbackSigningKey = recordOf('callback signing key', {
  ...sealedKey,
  /** Compact JWS by the delivery key; it goes with each callback. */
  endorsement: text,
  /** URI of that delivery key. */
  deliveryKey: text,
  /** Milliseconds since 1970, as the endorsement says. */
  notBefore: whole,
  notAfter: whole,
});

export type CallbackSigningKey = RecordOf<typeof callbackSigningKey>;

/** The TLS client key by which this server calls Operators, with its certificate. */
export const callbackClient = recordOf('callback client', {
  ...sealedKey,
  /** DER: the client certificate, then those between it and its CA. */
  certificates: list(octets),
  /** Milliseconds since 1970. */
  since: whole,
});

export type CallbackClient = RecordOf<typeof callbackClient>;

/** One that waits for its certificate. */
export const callbackClientRequest = recordOf('callback client request', {
  ...sealedKey,
  /** The certification request (PKCS#10) in DER. */
  request: octets,
  /** Milliseconds since 1970. */
  since: whole,
});

export type CallbackClientRequest = RecordOf<typeof callbackClientRequest>;
