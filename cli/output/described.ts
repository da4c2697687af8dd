import type { ExitCode } from './exit-codes.ts';

/** What a failed command tells: with --json as `{"error": …}` on stdout, otherwise as lines on stderr. */
export interface Failure {
  readonly code: string;
  /** Of a refusal: GSMA subject and reason code, what it is about and where in the octets given. */
  readonly subjectCode?: string;
  readonly reasonCode?: string;
  readonly subjectIdentifier?: string;
  readonly offset?: number;
  readonly message: string;
  readonly hint: string;
}

export interface Described {
  readonly failure: Failure;
  readonly exitCode: ExitCode;
}
