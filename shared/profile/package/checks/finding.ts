import { present } from '../../../present.ts';
import type { ProfileElement } from '../profile-element.ts';

/** What is wrong with a package. Errors make it unusable; warnings deserve a look. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly code: FindingCode;
  /** Never a secret. */
  readonly message: string;
  /** PE that the finding is about, and its identification, as an eUICC would report it. */
  readonly pe?: string;
  readonly identification?: number;
  readonly offset?: number;
  /** Name of the parameter whose value is to blame, where it is one. */
  readonly parameter?: string;
}

export type FindingCode =
  | 'malformed'
  | 'peOrder'
  | 'peMissing'
  | 'peDuplicate'
  | 'peUnknown'
  | 'identificationDuplicate'
  | 'serviceUnknown'
  | 'serviceWithoutPe'
  | 'serviceWithoutAlgorithm'
  | 'serviceNotListed'
  | 'templateNotListed'
  | 'fileMissing'
  | 'fileOverflow'
  | 'fileSize'
  | 'fileService'
  | 'akaLengths'
  | 'pinDuplicate'
  | 'pukMissing'
  | 'keyDuplicate'
  | 'aidDuplicate'
  | 'iccidMismatch'
  | 'iccidLuhn'
  | 'imsiInvalid'
  | 'accMismatch'
  | 'metadataIccid'
  | 'metadataOwner'
  | 'metadataPolicyRules'
  | 'metadataName';

/** A finding about one PE. */
export function about(
  element: ProfileElement,
  severity: Finding['severity'],
  code: FindingCode,
  message: string,
): Finding {
  const { name, identification, offset } = element;
  return {
    severity,
    code,
    message,
    pe: name,
    ...present({ identification }),
    offset,
  };
}
