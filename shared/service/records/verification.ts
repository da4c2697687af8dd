import { type RecordOf, recordOf } from './record.ts';
import { optional, text, whole } from './schema.ts';

/** How far the verification that runs by itself has come (service/verify/scrub.ts). */
export const verificationRecord = recordOf('verification', {
  /** A stage of service/verify/verify.ts, and its cursor; empty at its beginning. */
  stage: text,
  after: text,
  /** Milliseconds since 1970: when this run began, and when the one before came to its end. */
  begunAt: whole,
  endedAt: optional(whole),
  /** What this run has found so far, and how many things it has looked at. */
  findings: whole,
  looked: whole,
  /** How many things the run before has looked at, to its end. */
  things: optional(whole),
});

export type VerificationRecord = RecordOf<typeof verificationRecord>;
