/**
 * Why an installation failed (SGP.22 section 5.5 and annex H, ProfileInstallationResult). Names are those of v2; the
 * comments give the names of v3 where they differ.
 */
const BPP_COMMAND_IDS = [
  'initialiseSecureChannel',
  'configureISDP',
  'storeMetadata',
  'storeMetadata2',
  'replaceSessionKeys',
  'loadProfileElements',
] as const;

/** A number without a name is a command of a later version: what the eUICC signed is kept all the same. */
export type BppCommandId = (typeof BPP_COMMAND_IDS)[number] | `bppCommand${number}`;

export function bppCommandName(number: number): BppCommandId {
  return BPP_COMMAND_IDS[number] ?? `bppCommand${number}`;
}

export function bppCommandNumber(name: BppCommandId): number {
  const number = (BPP_COMMAND_IDS as readonly string[]).indexOf(name);
  return number < 0 ? Number(name.slice('bppCommand'.length)) : number;
}

export const ERROR_REASONS: ReadonlyMap<number, string> = new Map([
  [1, 'incorrectInputValues'],
  [2, 'invalidSignature'],
  [3, 'invalidTransactionId'],
  [4, 'unsupportedCrtValues'],
  [5, 'unsupportedRemoteOperationType'],
  [6, 'unsupportedProfileClass'],
  // bspStructureError
  [7, 'scp03tStructureError'],
  // bspSecurityError
  [8, 'scp03tSecurityError'],
  [9, 'installFailedDueToIccidAlreadyExistsOnEuicc'],
  [10, 'installFailedDueToInsufficientMemoryForProfile'],
  [11, 'installFailedDueToInterruption'],
  [12, 'installFailedDueToPEProcessingError'],
  // installFailedDueToDataMismatch
  [13, 'installFailedDueToIccidMismatch'],
  [14, 'testProfileInstallFailedDueToInvalidNaaKey'],
  [15, 'pprNotAllowed'],
  [17, 'enterpriseProfilesNotSupported'],
  [18, 'enterpriseRulesNotAllowed'],
  [19, 'enterpriseProfileNotAllowed'],
  [20, 'enterpriseOidMismatch'],
  [21, 'enterpriseRulesError'],
  [22, 'enterpriseProfilesOnly'],
  [23, 'lprNotSupported'],
  [26, 'unknownTlvInMetadata'],
  [127, 'installFailedDueToUnknownError'],
]);

/** A number without a name is a reason of a later version, and as permanent as the others. */
export function errorReasonName(errorReason: number): string {
  return ERROR_REASONS.get(errorReason) ?? `errorReason${errorReason}`;
}

/**
 * Only a lack of memory and an interruption may pass. Even then the one-time key is spent: another attempt takes
 * another key and another package.
 */
export function isTemporary(errorReason: number): boolean {
  return errorReason === 10 || errorReason === 11;
}
