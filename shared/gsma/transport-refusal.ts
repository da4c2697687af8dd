import { Refusal, type RefusalDetails } from '../errors.ts';
import type { StatusName } from '../status-codes.ts';

/**
 * What HTTP itself refuses, below the level of functions:
 *
 * - 403: no party. There is no client certificate, or the register does not know it. 401 would need a
 *   WWW-Authenticate challenge (RFC 9110 section 15.5.2), and none exists for TLS client certificates; API Gateway
 *   with mutual TLS answers 403 as well. A known party that may not use a function is refused by the function: 200,
 *   Failed, 1.1/1.2.
 * - 404: no such path. 405: not POST. 408: the body did not come to its end in time. 413: the body is over the limit.
 *   415: neither JSON nor DER where DER fits.
 * - 503: there is more to do than the server admits (I13); Retry-After says when to try again.
 */
export type TransportStatus = 403 | 404 | 405 | 408 | 413 | 415 | 503;

export class TransportRefusal extends Refusal {
  readonly httpStatus: TransportStatus;

  constructor(httpStatus: TransportStatus, code: StatusName, message: string, details?: RefusalDetails) {
    super(code, message, details);
    this.httpStatus = httpStatus;
  }
}
