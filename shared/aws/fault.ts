import { Fault, type FaultCode } from '../errors.ts';

/** Errors of the AWS SDK as Faults of ours: the error's name only, since messages may quote what was sent. */

const RETRYABLE = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'InternalServerError',
  'ServiceUnavailable',
  'SlowDown',
  'TransactionConflictException',
  'TransactionInProgressException',
  'TimeoutError',
  'RequestTimeout',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
]);

export function isNamed(error: unknown, ...names: readonly string[]): error is Error {
  return error instanceof Error && names.includes(error.name);
}

export function toFault(code: FaultCode, error: unknown): Fault {
  if (error instanceof Fault) return error;
  const { name, message, code: cause, $fault } = error as Partial<Record<string, unknown>>;
  const retryable = RETRYABLE.has(String(name)) || RETRYABLE.has(String(cause)) || $fault === 'server';
  const told = code === 'ledger' ? String(name) : `${name}: ${message}`;
  return new Fault(code, `the cloud store failed: ${told}`, { cause: error, retryable });
}
