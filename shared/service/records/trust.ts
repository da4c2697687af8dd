import type { RevocationPolicy } from '../../pki/revocation.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import { recordOf } from './record.ts';

/** An eSIM CA that this server trusts; see shared/pki/trust-store.ts for the two selections. */
export interface CiRecord {
  readonly certificate: Uint8Array;
  readonly forSigning: boolean;
  readonly forVerification: boolean;
}

/** An EUM on the allow-list (GENS14), and the party that speaks for its eUICCs on Esed1. */
export interface EumRecord {
  readonly party: string;
  /** The certificate with role EUM, in DER: what revocation lists of this EUM are verified with. */
  readonly certificate: Uint8Array;
  /** SubjectPublicKeyInfo in DER of the key that signs its eUICC data batches, where there is one. */
  readonly dataKey?: Uint8Array;
}

/** A DPpb certificate of ours and the key that signs for it. */
export interface DpPbRecord {
  readonly keyUri: string;
  readonly ciPkId: Uint8Array;
  readonly certificates: readonly Uint8Array[];
  /** `retired` ones bind nothing any more and stay to verify results. */
  readonly state: 'active' | 'retired';
  /** Milliseconds since 1970; the newest active one of a CI and curve binds. */
  readonly installedAt: number;
}

/** A revocation list is an object of the vault: it may have megabytes. */
export interface CrlRecord {
  readonly object: ObjectRef;
  /** The certificate that it was verified with, in DER. */
  readonly issuer: Uint8Array;
  /** Milliseconds since 1970. */
  readonly takenAt: number;
}

export interface TrustPolicyRecord {
  readonly revocation: RevocationPolicy;
}

export const ciRecord = recordOf<CiRecord>();
export const eumRecord = recordOf<EumRecord>();
export const dpPbRecord = recordOf<DpPbRecord>();
export const crlRecord = recordOf<CrlRecord>();
export const trustPolicyRecord = recordOf<TrustPolicyRecord>();
