import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import { decodeSimaResponse, PE_STATUS } from '../../shared/rsp/euicc-response.ts';
import { errorReasonName, isTemporary } from '../../shared/rsp/installation-error.ts';
import type { FinalResult } from '../../shared/rsp/profile-installation-result.ts';

export interface DescribedResult {
  readonly result: 'success' | 'error';
  readonly aid?: string;
  readonly bppCommandId?: string;
  readonly errorReason?: string;
  readonly errorReasonNumber?: number;
  /** True where SGP.22 lets another attempt succeed; it takes another one-time key and another package. */
  readonly temporary?: boolean;
  readonly peStatus?: readonly string[];
}

/** The final result by names. */
export function describeResult(finalResult: FinalResult): DescribedResult {
  if ('successResult' in finalResult) {
    const { aid, simaResponse } = finalResult.successResult;
    return { result: 'success', aid: toHex(aid), peStatus: describeSimaResponse(simaResponse) };
  }
  const { bppCommandId, errorReason, simaResponse } = finalResult.errorResult;
  return {
    result: 'error',
    bppCommandId,
    errorReason: errorReasonName(errorReason),
    errorReasonNumber: errorReason,
    temporary: isTemporary(errorReason),
    ...(simaResponse && { peStatus: describeSimaResponse(simaResponse) }),
  };
}

/** What the profile interpreter says; octets that are no EUICCResponse are shown, since they undo nothing. */
export function describeSimaResponse(simaResponse: Bytes): string[] {
  try {
    return decodeSimaResponse(simaResponse).flatMap((response) => [
      ...response.peStatus.map(({ status, identificationNumber, offset }) =>
        [
          PE_STATUS.get(status) ?? `status ${status}`,
          ...(identificationNumber === undefined ? [] : [`PE ${identificationNumber}`]),
          ...(offset === undefined ? [] : [`offset ${offset}`]),
        ].join(', '),
      ),
      ...(response.profileInstallationAborted ? ['profileInstallationAborted'] : []),
      ...(response.statusMessage === undefined ? [] : [response.statusMessage]),
    ]);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [`not an EUICCResponse: ${toHex(simaResponse)}`];
  }
}
