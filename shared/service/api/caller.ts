export type PartyRole = 'eum' | 'deviceMaker' | 'operator' | 'auditor' | 'administrator';

/** Who calls: a client certificate that the party register knows (I7). */
export interface Caller {
  /** functionRequesterIdentifier; owns orders, jobs and reports, whichever certificate it comes with. */
  readonly identifier: string;
  readonly role: PartyRole;
  /** Lower-case hexadecimal SHA-256 of the client certificate in DER. */
  readonly fingerprint: string;
}

export interface Parties {
  /** The party of a client certificate; refuses an unknown or revoked one. Reads the register each time. */
  identify(fingerprint: string): Promise<Caller>;
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

export interface Calls {
  /** Takes a refused call into the audit log. */
  refused(call: RefusedCall): Promise<void>;
}
