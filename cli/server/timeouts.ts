/** Milliseconds. A peer that is slower than these loses its connection, never a worker of ours. */
export const TIMEOUTS = {
  tlsHandshake: 10_000,
  headers: 10_000,
  /** A whole inline body. */
  body: 30_000,
  /** Between two packets of a transfer, which may take as long as it moves. */
  transferIdle: 30_000,
  /** An answer to a function, as API Gateway has it. */
  call: 29_000,
  keepAlive: 65_000,
  /** For a peer that was refused in the middle of its body to send the rest and read why. */
  linger: 5_000,
  /** Calls in work when the server closes. */
  shutdown: 10_000,
} as const;
