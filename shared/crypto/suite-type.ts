import type { Bytes } from '../codec/bytes.ts';
import type { Curve, PublicKey } from './curve-type.ts';

/**
 * A crypto suite is a value, a row of suite-rows.ts: the curve that certificates and signatures are on, how a one-time
 * key of an eUICC is written, what the server agrees with it on, and how session keys come out of that. Functions are
 * handed the row, never its name. The suite of a profile binding is that of the eUICC's one-time key.
 */
export interface Suite {
  /** As stored records and answers call it. */
  readonly name: SuiteName;
  /** Field `curve` of an EuiccDataBatch, dotted: the named curve where the suite is nothing but that. */
  readonly oid: string;
  /** Of the certificates of eUICC, EUM and DPpb, of proofs and of smdpSign: ECDSA with SHA-256. */
  readonly curve: Curve;
  /** A proposal of ours that no published document has: taken only where the configuration of a deployment says so. */
  readonly draft: boolean;
  /** Whether what is recorded today stays closed to a quantum computer: its agreement has a part that none solves. */
  readonly quantumSafe: boolean;
  /** Octets of a one-time key as FF60 and FF64 carry it. */
  readonly oneTimeKeyLength: number;
  /**
   * The first octets of a one-time key, from which its identity follows: the eUICC's record, which each claim writes
   * anew, holds these alone. What follows is long, and stands in the key's own record, which is written once.
   */
  readonly recordedLength: number;
  readonly channel: ChannelForm;
  /** Octets of the shared secret Z that the key derivation starts from. */
  readonly sharedSecretLength: number;
  /** What a one-time key is known by, from its first `recordedLength` octets: see `OneTimeKey.identity`. */
  identityOf(recorded: Bytes): string;
  /** Reads a one-time key as FF60 carries it; refuses what is none of this suite as `oneTimeKeyInvalid`. */
  oneTimeKey(octets: Bytes): OneTimeKey;
}

/** The name of a row of suite-rows.ts: a stored one is read with `suiteByName`, which refuses any other. */
export type SuiteName = string;

/**
 * What the suite puts into InitialiseSecureChannel (SGP.22 section 5.5.1). Key type and length tell the receiver which
 * form it reads, so suites that share both share the whole form.
 */
export interface ChannelForm {
  /** Tag 80 of the control reference template, and first octet of SharedInfo. */
  readonly keyType: number;
  /** What inspection calls it. */
  readonly keyTypeName: string;
  /** Octets of a session key: tag 81, and second octet of SharedInfo. AES-128 is all that the BSP has. */
  readonly keyLength: 16;
  /** Octets of smdpOtpk (5F49). */
  readonly smdpOtpkLength: number;
  /** What follows smdpOtpk, in a suite that encapsulates a key as well. */
  readonly ciphertext?: { readonly tag: number; readonly length: number };
}

/** The one-time public key of an eUICC, checked. Nobody but its suite knows what it is made of. */
export interface OneTimeKey {
  readonly suite: Suite;
  /** `oneTimeKeyLength` octets, as FF60, FF64 and the message of smdpSign carry it. */
  readonly octets: Bytes;
  /**
   * What it is known by for ever, over all EUMs and all suites of its curve: one lower-case hexadecimal string, of at
   * most 128 digits, for all keys that agree to the same secrets.
   */
  identity(): string;
  /** Would this certificate's key agree to the same secrets? A key that signs must not be a one-time key too. */
  isKeyOf(certificateKey: PublicKey): boolean;
  /**
   * The server's side of one agreement, never to be had again: all secrets but the answer's are wiped. `randomness` is
   * for published vectors alone, in the octets that the suite says; RangeError on any other. The caller wipes it.
   */
  encapsulate(randomness?: Bytes): Encapsulation;
}

export interface Encapsulation {
  /** What travels to the eUICC. */
  readonly smdpOtpk: Bytes;
  /** Present where the suite's channel has one. */
  readonly ciphertext?: Bytes;
  /** Z, `sharedSecretLength` octets; the caller wipes it. */
  readonly sharedSecret: Bytes;
  /** What the suite adds at the end of SharedInfo; empty in SGP.22. */
  readonly sharedInfo: Bytes;
}
