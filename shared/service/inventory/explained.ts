import { ownMember } from '../../own-member.ts';
import { present } from '../../present.ts';
import { STATUS_CODES, type StatusCode } from '../../status-codes.ts';
import { WAYS_OUT } from '../../ways-out.ts';
import type { Explained } from '../api/ops.ts';

/** What an error of an eUICC (SGP.22 section 5.5) or the word of an FPA means, and what to do. */
const OF_DEVICES: Readonly<Record<string, readonly [meaning: string, todo: string]>> = {
  incorrectInputValues: [
    'the eUICC found a value of the package wrong',
    'report it: this server made the package',
  ],
  invalidSignature: [
    'the eUICC did not accept the signature of this server',
    'look whether the DPpb certificate is under a CI of the eUICC: `smdpf trust list`',
  ],
  invalidTransactionId: [
    'the eUICC knows another transaction',
    'bind a replacement with another one-time key',
  ],
  unsupportedCrtValues: [
    'the eUICC does not know the keys of the package',
    'ask the EUM which SCP11 values it supports',
  ],
  unsupportedRemoteOperationType: [
    'the eUICC does not know the operation',
    'ask the EUM which versions it supports',
  ],
  unsupportedProfileClass: ['the eUICC takes no profile of this class', 'order another profile class'],
  scp03tStructureError: [
    'a segment of the package was damaged on its way',
    'fetch the package again, or replace the profile',
  ],
  scp03tSecurityError: [
    'a segment of the package did not decrypt',
    'look whether the package went to the eUICC that it was bound for, and replace the profile',
  ],
  installFailedDueToIccidAlreadyExistsOnEuicc: [
    'the eUICC has a profile with this ICCID',
    'delete it on the eUICC, or replace the profile',
  ],
  installFailedDueToInsufficientMemoryForProfile: [
    'the eUICC has no memory left for the profile',
    'free memory, or order a smaller profile',
  ],
  installFailedDueToInterruption: [
    'the installation was interrupted',
    'replace the profile: a one-time key serves once',
  ],
  installFailedDueToPEProcessingError: [
    'the eUICC does not take an element of the profile',
    '`smdpf profile check` the template against this eUICC, and order anew',
  ],
  installFailedDueToIccidMismatch: [
    'profile and metadata name two ICCIDs',
    'report it: this server made the package',
  ],
  testProfileInstallFailedDueToInvalidNaaKey: [
    'the eUICC takes test profiles with a test key alone',
    'order with another profile class',
  ],
  pprNotAllowed: ['the eUICC forbids a profile policy rule', 'order the profile without this rule'],
  unreachable: ['the FPA did not reach the device', 'try again on the line; then replace the profile'],
  damaged: ['the FPA found the package damaged', 'fetch the package again, or replace the profile'],
  fpaFailure: ['the FPA failed', 'ask the device manufacturer; then replace the profile'],
  badStatusWord: [
    'the eUICC answered with an error',
    'ask the device manufacturer; the detail has the status word',
  ],
  noResult: ['the eUICC gave no result', 'ask the device for its notification; then replace the profile'],
  notAttempted: ['the profile was not loaded', 'load it, or replace the profile'],
  other: ['the FPA gave another reason', 'ask the device manufacturer'],
};

/** `code`: a row of shared/status-codes.ts, or the error of an eUICC or an FPA. */
export function explained(code: string): Explained {
  const row: StatusCode | undefined = ownMember<StatusCode>(STATUS_CODES, code);
  if (row !== undefined) {
    const { subject: subjectCode, reason: reasonCode, meaning } = row;
    return { code, subjectCode, reasonCode, meaning, todo: ownMember(WAYS_OUT, code) ?? '' };
  }
  const [meaning, todo] = ownMember(OF_DEVICES, code) ?? [code, 'ask who reported it'];
  return { code, meaning, todo };
}

/** Rows have their codes in common with others: of several with the same pair the first one speaks for all. */
const byCodes = new Map<string, string>();
for (const [code, { subject, reason }] of Object.entries(STATUS_CODES)) {
  const pair = `${subject}/${reason}`;
  if (!byCodes.has(pair)) byCodes.set(pair, code);
}

/** The row of a pair of codes, as a call was refused with. */
export function explainedCodes(subjectCode: string, reasonCode: string): Explained {
  const code = byCodes.get(`${subjectCode}/${reasonCode}`);
  return code === undefined
    ? {
        code: `${subjectCode}/${reasonCode}`,
        ...present({ subjectCode, reasonCode }),
        meaning: 'unknown',
        todo: '',
      }
    : { ...explained(code), subjectCode, reasonCode };
}
