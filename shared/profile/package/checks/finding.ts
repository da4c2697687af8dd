/** What is wrong with a package. Errors make it unusable; warnings deserve a look. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** Identifier of the rule that is broken, or `malformed`. */
  readonly code: string;
  /** Never a secret. */
  readonly message: string;
  readonly wayOut?: string;
  /** PE that the finding is about, and its identification, as an eUICC would report it. */
  readonly pe?: string;
  readonly identification?: number;
  readonly offset?: number;
  /** Name of the parameter whose value is to blame, where it is one. */
  readonly parameter?: string;
  /** A part of the package cannot be decoded. */
  readonly malformed?: true;
}

/** The code of what cannot be decoded and is no rule of its own. */
export const MALFORMED = 'malformed';
