import { SimError } from '../tlv.ts';

/** BppCommandId of SGP.22 §2.5.6. */
export const BPP_COMMAND = {
  initialiseSecureChannel: 0,
  configureISDP: 1,
  storeMetadata: 2,
  storeMetadata2: 3,
  replaceSessionKeys: 4,
  loadProfileElements: 5,
} as const;
export type BppCommand = keyof typeof BPP_COMMAND;

/** ErrorReason of SGP.22 §2.5.6. */
export const ERROR_REASON = {
  incorrectInputValues: 1,
  invalidSignature: 2,
  invalidTransactionId: 3,
  unsupportedCrtValues: 4,
  unsupportedRemoteOperationType: 5,
  unsupportedProfileClass: 6,
  bspStructureError: 7,
  bspSecurityError: 8,
  installFailedDueToIccidAlreadyExistsOnEuicc: 9,
  installFailedDueToInsufficientMemoryForProfile: 10,
  installFailedDueToInterruption: 11,
  installFailedDueToPEProcessingError: 12,
  installFailedDueToDataMismatch: 13,
  testProfileInstallFailedDueToInvalidNaaKey: 14,
  pprNotAllowed: 15,
  unknownTlvInMetadata: 26,
  installFailedDueToUnknownError: 127,
} as const;
export type ErrorReason = keyof typeof ERROR_REASON;

/** PEStatus values of the TCA profile package: why a profile element was refused. */
export const PE_STATUS = {
  ok: 0,
  peNotSupported: 1,
  badValues: 3,
  featureNotSupported: 10,
  unsupportedProfileVersion: 31,
} as const;
export type PeStatus = keyof typeof PE_STATUS;

export interface PeFault {
  readonly status: PeStatus;
  readonly identification?: number;
}

/** Ends an installation with an errorResult; the command is the one being processed. */
export class InstallationFault extends SimError {
  readonly reason: ErrorReason;
  readonly pe: PeFault | undefined;

  constructor(reason: ErrorReason, message: string, pe?: PeFault) {
    super(message);
    this.reason = reason;
    this.pe = pe;
  }
}
