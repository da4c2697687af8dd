import type { KnownBy } from '../records/audit.ts';

export type PartyRole = 'eum' | 'deviceMaker' | 'operator' | 'auditor' | 'viewer' | 'administrator';

/** Who calls: a client certificate that the party register knows (I7). */
export interface Caller {
  /** functionRequesterIdentifier; owns orders, jobs and reports, whichever certificate it comes with. */
  readonly identifier: string;
  readonly role: PartyRole;
  /** Lower-case hexadecimal SHA-256 of the client certificate in DER. */
  readonly fingerprint: string;
  /** As the register has it, for people; of a login, who has logged in. */
  readonly name?: string;
  /** What vouches for the name: a client certificate, unless it was another login. */
  readonly knownBy?: KnownBy;
}

/** What TLS has proved possession of the key of, as the register is asked for it. */
export interface ClientCertificate {
  /** Lower-case hexadecimal SHA-256 of the DER. */
  readonly fingerprint: string;
  /** Milliseconds since 1970; `notAfterMs` is the last second of validity. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What a call has taken, beyond being one. */
export interface CallSpent {
  /** Of ledger and vault, each of 4 KiB at most: shared/call-cost.ts. */
  readonly reads: number;
  /** Of its body and its answer. */
  readonly octets: number;
}

export interface Parties {
  /** The party of a client certificate; refuses an unknown, revoked or expired one. Reads the register each time. */
  identify(certificate: ClientCertificate): Promise<Caller>;
  /**
   * Who came with it the last time, as this process remembers it: something to read ahead by while `identify` is under way,
   * and nothing more. Undefined where nobody did.
   */
  remembered?(fingerprint: string): Caller | undefined;
  /** A call of this party is over: what it took beyond a call's due counts as further calls of it (I13). */
  charge?(identifier: string, spent: CallSpent): void;
}

/** A call that was refused as a whole: who, what and why. Never what it carried. */
export interface RefusedCall {
  /** "esbpp.requestBpp" */
  readonly function: string;
  /** Undefined where the caller is not known. */
  readonly party: string | undefined;
  readonly functionCallIdentifier: string | undefined;
  readonly subjectCode: string;
  readonly reasonCode: string;
}

/** A call that was answered, for who called what. */
export interface AnsweredCall {
  readonly function: string;
  /** Undefined where the caller is not known, and of devices in the field. */
  readonly party: string | undefined;
  readonly status: 'Executed-Success' | 'Executed-WithWarning' | 'Failed';
  /** Of one that failed. */
  readonly subjectCode: string | undefined;
  readonly reasonCode: string | undefined;
}

export interface Calls {
  /** Counts a call; never fails and never waits. */
  answered(call: AnsweredCall): void;
  /** Takes a refused call into the audit log. */
  refused(call: RefusedCall): Promise<void>;
}
