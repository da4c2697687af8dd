/**
 * What an answer warns of: what was done, and deserves a look all the same. Codes are stable; the message says where. An
 * answer of any function has them in its member `warnings`, which is absent where there are none.
 */
export const WARNINGS = {
  parameterAsInTemplate: 'a secret that nothing sets is as in the template, the same in all profiles',
  packageFinding: 'a rule of profile packages that does not refuse (docs/profile-rules.md)',
  preflight: 'what an eUICC of expectedEuiccs may do with the profile (smdpf profile preflight)',
  metadataField: 'a field of StoreMetadata that not every eUICC takes',
  iccidCheckDigitAdded: '19 digits were taken as an ICCID without its Luhn digit, and became 20',
  partyUnknown: 'a device manufacturer is named that is not registered: nothing reaches it until it is',
  intakeKeyUnknown:
    'the kid of an encrypted block of rows is of no intake key here; it was opened all the same',
  nothingInside: 'the batch or report is empty: nothing was done',
  ciNotTrusted:
    'the CI that has issued an EUM certificate is not trusted: its eUICCs are refused until it is',
} as const;

export type WarningCode = keyof typeof WARNINGS;

export const WARNING_CODES = Object.keys(WARNINGS) as readonly WarningCode[];

export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
}

/** The member `warnings` of an answer: absent where there are none. */
export const warningsMember = (
  warnings: readonly Warning[] | undefined,
): { readonly warnings?: readonly Warning[] } =>
  warnings === undefined || warnings.length === 0
    ? {}
    : { warnings: warnings.map(({ code, message }) => ({ code, message })) };
