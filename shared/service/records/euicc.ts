import type { SuiteName } from '../../crypto/suite.ts';
import { recordOf } from './record.ts';

/**
 * One eUICC as the ledger holds it: its one-time keys and what they were claimed for. A single item, so that one
 * conditional write takes a key and the EID's place in the order together. Certificates live apart.
 */
export interface EuiccRecord {
  readonly suite: SuiteName;
  /** SubjectKeyIdentifier of the root of its chain, hexadecimal. */
  readonly ciPkId: string;
  /** SHA-256 of the EUM chain and of BF22: the items are shared by thousands of eUICCs. */
  readonly eumChain: string;
  readonly euiccInfo2: string;
  /** Of the eUICC certificate: serial number as hexadecimal, end of validity in milliseconds. */
  readonly serialNumber: string;
  readonly notAfter: number;
  /** Milliseconds since 1970: when the administrator stopped it. Its unbound keys are never bound. */
  readonly revokedAt?: number;
  /** functionRequesterIdentifiers that may bind it and close its keys. */
  readonly deviceMakers: readonly string[];
  readonly keys: readonly OneTimeKeyRecord[];
  /** By order: the request items that hold, or try to take, a profile of that order for this EID. */
  readonly orders: Readonly<Record<string, readonly string[]>>;
}

export interface OneTimeKeyRecord {
  readonly keyId: string;
  /** As FF60 carries it in the eUICC's suite. */
  readonly otPk: Uint8Array;
  readonly state: 'free' | 'claimed' | 'closed';
  /** The request item that claimed it; see `itemName`. */
  readonly by?: string;
}

/** The name of one request item, unique for ever: job and index. */
export const itemName = (jobId: string, index: number) => `${jobId}:${index}`;

export function parseItemName(name: string): { jobId: string; index: number } {
  const [jobId, index] = name.split(':') as [string, string];
  return { jobId, index: Number(index) };
}

export const euiccRecord = recordOf<EuiccRecord>();
