import { createHash } from 'node:crypto';
import { refuse } from '../../errors.ts';

/**
 * A transaction ID names a request item for ever: jobId(12) ‖ index(4, big-endian), 16 octets. A repeated attempt
 * finds the same one by position, and a result leads back to its item without an index of its own.
 *
 * The job ID is the start of SHA-256 over deployment, party and requestId: the same request is the same job.
 */
const JOB_ID_HEX = 24;

export function jobIdOf(deployment: string, party: string, requestId: string): string {
  return createHash('sha256')
    .update(JSON.stringify(['job', deployment, party, requestId]))
    .digest('hex')
    .slice(0, JOB_ID_HEX);
}

export function transactionId(jobId: string, index: number): string {
  return jobId + index.toString(16).padStart(8, '0');
}

export function parseTransactionId(hex: string): { jobId: string; index: number } {
  if (!/^[0-9a-f]{32}$/.test(hex))
    refuse('transactionUnknown', 'this server gives transaction IDs of 16 octets');
  return { jobId: hex.slice(0, JOB_ID_HEX), index: Number.parseInt(hex.slice(JOB_ID_HEX), 16) };
}
