import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { fromHex, toHex } from '../../shared/codec/bytes.ts';
import { decodePrivateKeyPem, encodePrivateKeyPem } from '../curve.ts';
import type { EuiccFeatures } from '../euicc-info2.ts';
import { type PersonalisedEuicc, pairOf } from '../eum.ts';
import type { OneTimeKeyPair, SuiteName } from '../suite.ts';
import type { NotificationConfiguration } from './metadata.ts';

/** A one-time key that is still there; a consumed or deleted one has no record. Octets are hexadecimal. */
export interface KeyRecord {
  readonly keyId: string;
  readonly pem: string;
  /** Absent of a key that is on its curve alone; with ML-KEM-768, d ‖ z beside it. */
  readonly suite?: SuiteName;
  readonly kemSeed?: string;
  /** SHA-256 of the only BF23 this key still serves, set when a signature of the SM-DPf first verified. */
  boundTo?: {
    readonly transactionId: string;
    readonly requestHash: string;
    /** Of CERT.DPpb, for the result of a BPP that never came to its end; older card files lack it. */
    readonly smdpOid?: string;
  };
}

/** The pair of a one-time key that is still there. */
export function oneTimeKeyOf({ pem, suite, kemSeed }: KeyRecord): OneTimeKeyPair {
  const key = decodePrivateKeyPem(pem);
  return pairOf({
    key,
    ...(suite === undefined || kemSeed === undefined ? {} : { suite, kemSeed: fromHex(kemSeed) }),
  });
}

export interface ProfileRecord {
  readonly iccid: string;
  readonly isdpAid: string;
  enabled: boolean;
  readonly profileClass: number;
  readonly policyRules: readonly number[];
  readonly notifications: readonly NotificationConfiguration[];
  /** The Unprotected Profile Package as it was recovered. */
  readonly upp: string;
}

export interface NotificationRecord {
  readonly seqNumber: number;
  /** BF37 or OtherSignedNotification. */
  readonly signed: string;
  /** Set where the notification is the terminal result of a transaction that used up its key. */
  readonly transactionId?: string;
}

/** All that survives a power cut. A BPP in the middle of its segments is not in it: it starts again. */
export interface EuiccState {
  readonly eid: string;
  readonly keyPem: string;
  readonly euiccCert: string;
  readonly eumCert: string;
  readonly trustedCis: readonly string[];
  readonly features: EuiccFeatures;
  revokedSerials: string[];
  oneTimeKeys: KeyRecord[];
  profiles: ProfileRecord[];
  notifications: NotificationRecord[];
  nextSeqNumber: number;
  /** The number in the AID of the next ISD-P; SGP.22 starts at 0x11. */
  nextIsdp: number;
  fpaLocked: boolean;
}

export function stateOf(euicc: PersonalisedEuicc): EuiccState {
  return {
    eid: euicc.eid,
    keyPem: encodePrivateKeyPem(euicc.key),
    euiccCert: toHex(euicc.euiccCert),
    eumCert: toHex(euicc.eumCert),
    trustedCis: euicc.trustedCis.map(toHex),
    features: euicc.features,
    revokedSerials: [],
    oneTimeKeys: euicc.oneTimeKeys.map(({ keyId, key, suite, kemSeed }) => ({
      keyId: toHex(keyId),
      pem: encodePrivateKeyPem(key),
      ...(suite === undefined || kemSeed === undefined ? {} : { suite, kemSeed: toHex(kemSeed) }),
    })),
    profiles: [],
    notifications: [],
    nextSeqNumber: 1,
    nextIsdp: 0x11,
    fpaLocked: false,
  };
}

/** Where an eUICC keeps its state. */
export interface StateStore {
  load(): EuiccState;
  save(state: EuiccState): void;
}

/** Keeps a copy in memory, as a chip would: what was not saved is lost at a power cut. */
export function memoryStore(initial: EuiccState): StateStore {
  let saved = JSON.stringify(initial);
  return {
    load: () => JSON.parse(saved) as EuiccState,
    save: (state) => {
      saved = JSON.stringify(state);
    },
  };
}

/**
 * One JSON file, replaced by rename after fsync, so that it holds either the old state or the new. The file stands
 * for the inside of a chip: it holds private keys and profiles in clear and is for test material only.
 */
export function fileStore(path: string): StateStore {
  return {
    load: () => JSON.parse(readFileSync(path, 'utf8')) as EuiccState,
    save: (state) => {
      const temporary = `${path}.new`;
      const file = openSync(temporary, 'w', 0o600);
      try {
        writeSync(file, JSON.stringify(state));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, path);
    },
  };
}
