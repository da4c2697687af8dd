import { SimError } from './tlv.ts';

/**
 * What became of a connection that gave no answer: there was none (`unreachable`), no TLS was agreed on (`tls`), it ended
 * before the answer was whole (`brokenOff`), nothing came in time (`silent`), or what came is no HTTP (`notHttp`).
 */
export type ConnectionFailureKind = 'unreachable' | 'tls' | 'brokenOff' | 'silent' | 'notHttp';

const WORDS: Readonly<Record<ConnectionFailureKind, (origin: string) => string>> = {
  unreachable: (origin) => `${origin} cannot be reached`,
  tls: (origin) => `there is no TLS with ${origin}`,
  brokenOff: (origin) => `the connection with ${origin} broke off`,
  silent: (origin) => `${origin} did not answer in time`,
  notHttp: (origin) => `${origin} does not answer as HTTP does`,
};

/** No answer came from a server. */
export class ConnectionFailure extends SimError {
  readonly kind: ConnectionFailureKind;
  readonly url: URL;
  /** Of Node or OpenSSL. */
  readonly code: string | undefined;

  constructor(kind: ConnectionFailureKind, url: URL, cause?: Error) {
    const code = cause !== undefined && 'code' in cause ? String(cause.code) : undefined;
    // several addresses of one name that all refuse are an AggregateError without a message
    const why = cause === undefined ? '' : `: ${cause.message || code}`;
    super(`${WORDS[kind](url.origin)}${why}`, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.url = url;
    this.code = code;
  }
}

/** Codes of OpenSSL's verification (X509_V_ERR_…) as Node gives them, of its TLS, and of Node's own check of the name. */
const OF_TLS =
  /^(?:ERR_(?:TLS|SSL|OSSL)_|EPROTO$|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(?:CA|PURPOSE)$|HOSTNAME_MISMATCH$|PATH_LENGTH_EXCEEDED$)/;
/** Of Node's parser of HTTP. */
const OF_HTTP = /^HPE_/;

/** The error of a request as what became of its connection. */
export function connectionFailure(error: Error, url: URL, hasConnected: boolean): ConnectionFailure {
  if (error instanceof ConnectionFailure) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (OF_TLS.test(code)) return new ConnectionFailure('tls', url, error);
  if (OF_HTTP.test(code) && code !== 'HPE_INVALID_EOF_STATE')
    return new ConnectionFailure('notHttp', url, error);
  return new ConnectionFailure(hasConnected ? 'brokenOff' : 'unreachable', url, error);
}
