import type { Bytes } from '../codec/bytes.ts';

/**
 * A crypto suite is a value: the curve, its key agreement (ECKA, BSI TR-03111: the x coordinate), ECDSA with
 * SHA-256, the X9.63 KDF with SHA-256 and AES-128 for the BSP. Three suites exist; all have 32-octet coordinates.
 * The suite of a profile binding is the one of the eUICC's one-time key: DPpb, eUICC certificate and CI share it.
 */
export type SuiteName = 'p256' | 'brainpoolP256r1' | 'frp256v1';

/** A point that was checked to lie on the suite's curve and not at infinity. */
export interface PublicKey {
  readonly suite: Suite;
  /** Uncompressed: 04 ‖ X ‖ Y, 65 octets. */
  readonly point: Bytes;
}

/** One side of one key agreement. Ask once, then drop it: `wipe` removes what the runtime lets us remove. */
export interface EphemeralKey {
  readonly point: Bytes;
  /** x coordinate of secret × peer, 32 octets, left-padded. */
  agree(peer: PublicKey): Bytes;
  wipe(): void;
}

export interface Suite {
  readonly name: SuiteName;
  /** The named curve's object identifier, dotted. */
  readonly curveOid: string;
  /** Of keys that sign on this curve: see shared/keys/provider.ts. */
  readonly keyAlgorithm: `ecdsa-${SuiteName}`;
  /** Refuses anything that is not an uncompressed point of this curve. */
  publicKey(point: Bytes): PublicKey;
  generateEphemeral(): EphemeralKey;
  /** From a fixed secret scalar of 32 octets; only to reproduce published vectors. */
  ephemeralFrom(secret: Bytes): EphemeralKey;
  /** Does the raw r‖s signature (64 octets) hold over the message under SHA-256? */
  signatureHolds(key: PublicKey, message: Bytes, signature: Bytes): boolean;
  /** The same over a message that comes in pieces and is too large to be held. */
  verifier(): Verifier;
}

/** For one message. */
export interface Verifier {
  update(piece: Bytes): void;
  /** As Suite.signatureHolds, over the pieces so far; once. */
  signatureHolds(key: PublicKey, signature: Bytes): boolean;
}

export const POINT_LENGTH = 65;
export const SIGNATURE_LENGTH = 64;
