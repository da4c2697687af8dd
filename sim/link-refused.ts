import { SimError } from './tlv.ts';

/** A link for an upload or a download was answered with a status that is none of success. */
export class LinkRefused extends SimError {
  readonly direction: 'upload' | 'download';
  readonly httpStatus: number;
  readonly retryAfterMs: number | undefined;

  constructor(direction: 'upload' | 'download', httpStatus: number, retryAfterMs?: number) {
    super(`the ${direction} was answered with HTTP ${httpStatus}`);
    this.direction = direction;
    this.httpStatus = httpStatus;
    this.retryAfterMs = retryAfterMs;
  }
}
