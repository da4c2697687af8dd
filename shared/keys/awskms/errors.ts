import { Fault } from '../../errors.ts';

/** What is to be done about an error of a KMS call: try again soon, or tell. */
export type KmsTrouble = 'throttled' | 'transient' | 'final';

const THROTTLED: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'SlowDown',
]);

/** AWS KMS API Reference, "Common errors" and the errors of each call; then those of sockets. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'KMSInternalException',
  'DependencyTimeoutException',
  'KeyUnavailableException',
  'InternalFailure',
  'ServiceUnavailable',
  'TimeoutError',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

export function troubleOf(error: unknown): KmsTrouble {
  const { name, code, $metadata } = error as {
    name?: string;
    code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode ?? 0;
  if (THROTTLED.has(name ?? '') || status === 429) return 'throttled';
  if (TRANSIENT.has(name ?? '') || TRANSIENT.has(code ?? '') || status >= 500) return 'transient';
  return 'final';
}

/**
 * A Fault that says what to change. The message of KMS stays in `cause`; no KMS message holds plaintext or key.
 * `call` is the name of the permission too: kms:Sign and so on.
 */
export function kmsFault(error: unknown, call: string, keyId: string): Fault {
  const name = (error as Error).name;
  const at = `kms:${call} with ${keyId}`;
  const configuration = (what: string) => new Fault('configuration', `${at}: ${what}`, { cause: error });
  switch (name) {
    case 'NotFoundException':
      return configuration('no such key or alias in this account and region');
    case 'AccessDeniedException':
      return configuration(`the credentials lack the permission kms:${call}, or the key policy denies it`);
    case 'InvalidKeyUsageException':
    case 'UnsupportedOperationException':
      return configuration('the key spec or key usage does not allow this');
    case 'InvalidArnException':
    case 'ValidationException':
      return configuration('KMS does not accept the request');
    case 'CredentialsProviderError':
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
    case 'ExpiredTokenException':
      return configuration('no credentials that AWS accepts');
    case 'IncorrectKeyException':
      return configuration('this was wrapped with another key');
    case 'DisabledException':
    case 'KMSInvalidStateException':
      return new Fault('keyProvider', `${at}: the key is disabled or pending deletion`, { cause: error });
    case 'InvalidCiphertextException':
      return new Fault('keyProvider', `${at}: this does not open with the key and context`);
    default:
      if (/^Region is missing/.test((error as Error).message))
        return configuration('no region is known: add ;region=… to the URI, or set AWS_REGION');
      return new Fault('keyProvider', `${at} failed: ${whyOf(error)}`, { cause: error });
  }
}

/** The name that KMS gives an error; of one below it, socket or TLS, what happened, where, and what decides where. */
export function whyOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { name, code, address, hostname, port } = first as Partial<
    Record<'name' | 'code' | 'address' | 'hostname' | 'port', unknown>
  >;
  if (typeof code !== 'string') return String(name);
  const host = address ?? hostname;
  const place = host === undefined ? '' : ` ${host}${port === undefined ? '' : `:${port}`}`;
  return (
    `KMS cannot be reached (${code}${place}); its place follows from ;endpoint=… and ;region=… of the URI, or else from ` +
    'AWS_ENDPOINT_URL and AWS_REGION'
  );
}
