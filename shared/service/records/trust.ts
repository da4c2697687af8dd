import { objectRef } from './common.ts';
import { type RecordOf, recordOf } from './record.ts';
import { flag, list, object, octets, oneOf, optional, text, whole } from './schema.ts';

/** A certificate of an eSIM CA that this server trusts; see shared/pki/trust-store.ts for the two selections. */
export const ciRecord = recordOf('CI', { certificate: octets, forSigning: flag, forVerification: flag });

export type CiRecord = RecordOf<typeof ciRecord>;

/** An EUM on the allow-list (GENS14), and the party that speaks for its eUICCs on Esed1. */
export const eumRecord = recordOf('EUM', {
  party: text,
  /** The certificates of its key with role EUM, in DER: what revocation lists of this EUM are verified with. */
  certificates: list(octets),
  /** SubjectPublicKeyInfo in DER of the key that signs its eUICC data batches, where there is one. */
  dataKey: optional(octets),
  /** Whether its batches need eumDataSignature; absent where there is a data key means that they do. */
  dataSignature: optional(oneOf('required', 'optional')),
});

export type EumRecord = RecordOf<typeof eumRecord>;

/** A DPpb certificate of ours and the key that signs for it. */
export const dpPbRecord = recordOf('DPpb', {
  keyUri: text,
  ciPkId: octets,
  certificates: list(octets),
  /** `retired` ones bind nothing any more and stay to verify results. */
  state: oneOf('active', 'retired'),
  /** Milliseconds since 1970; the newest active one of a CI and curve binds. */
  installedAt: whole,
});

export type DpPbRecord = RecordOf<typeof dpPbRecord>;

/** A revocation list is an object of the vault: it may have megabytes. */
export const crlRecord = recordOf('revocation list', {
  object: objectRef,
  /** The certificate that it was verified with, in DER. */
  issuer: octets,
  /** Milliseconds since 1970. */
  takenAt: whole,
});

export type CrlRecord = RecordOf<typeof crlRecord>;

/** See shared/pki/revocation.ts. */
export const trustPolicyRecord = recordOf('trust policy', {
  revocation: object({ missing: oneOf('refuse', 'accept'), expired: oneOf('refuse', 'accept') }),
});

export type TrustPolicyRecord = RecordOf<typeof trustPolicyRecord>;

/** Moves with every change of trust: chunk commits lean on the revision of its item. */
export const trustEpochRecord = recordOf('trust epoch', { moved: whole });

/** One of the copies that move together with it: the revision of the trust that holds. */
export const trustEpochCopy = recordOf('trust epoch copy', { epoch: whole });

/** An EUM chain that was accepted once. It is kept for good: bound eUICCs name it. */
export const eumChainRecord = recordOf('EUM chain', {
  /** DER; the issuer of the eUICCs first. */
  certificates: list(octets),
  /** SubjectKeyIdentifier of the root. */
  ciPkId: octets,
});

export type EumChainRecord = RecordOf<typeof eumChainRecord>;

/** Names an EUM chain in the list of all. */
export const knownEumChain = recordOf('known EUM chain', {});

/** Names a place where eUICC certificates say that their revocation lists are. */
export const distributionPoint = recordOf('distribution point', {});
