/**
 * Milliseconds. A peer that is slower than these loses its connection, never a worker of ours. What one caller may take
 * besides is in admission/limits.ts.
 */
export const TIMEOUTS = {
  tlsHandshake: 10_000,
  /** Between two looks for heads of requests that are late. */
  lookForLate: 1_000,
  /** Between two packets of a call, whose peer may be slow to take its answer, or of a transfer, which may take as long as it moves. */
  idle: 30_000,
  /** An answer to a function, as API Gateway has it. */
  call: 29_000,
  keepAlive: 65_000,
  /** The same where anybody may call. */
  keepAliveField: 5_000,
  /** For a peer that was refused in the middle of its body to send the rest and read why. */
  linger: 5_000,
  /** The same for a peer that nobody knows. */
  lingerAnyone: 1_000,
  /** Calls in work when the server closes. */
  shutdown: 10_000,
} as const;
