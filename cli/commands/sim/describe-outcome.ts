import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { errorReasonName } from '../../../shared/rsp/installation-error.ts';
import { decodeProfileInstallationResult } from '../../../shared/rsp/profile-installation-result.ts';
import type { FpaCause } from '../../../sim/index.ts';

/** How a package ended, as a line of a factory or a station knows it. */
interface Ended {
  readonly eid: string;
  readonly transactionId: Bytes;
  readonly result?: Bytes;
  readonly fpaError?: { readonly cause: FpaCause; readonly statusWord?: Bytes };
}

interface DescribedOutcome {
  readonly eid: string;
  readonly transactionId: string;
  /** `success`, the name of the eUICC's error reason, or the cause that the FPA gives. */
  readonly result: string;
  readonly bppCommandId?: string;
  readonly statusWord?: string;
}

export function describeOutcome({ eid, transactionId, result, fpaError }: Ended): DescribedOutcome {
  const head = { eid, transactionId: toHex(transactionId) };
  if (result === undefined) {
    const statusWord = fpaError?.statusWord;
    return {
      ...head,
      result: fpaError?.cause ?? 'noResult',
      ...(statusWord && { statusWord: toHex(statusWord) }),
    };
  }
  const { finalResult } = decodeProfileInstallationResult(result);
  if ('successResult' in finalResult) return { ...head, result: 'success' };
  const { bppCommandId, errorReason } = finalResult.errorResult;
  return { ...head, result: errorReasonName(errorReason), bppCommandId };
}
