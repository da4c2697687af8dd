import type { Defect, Fault, FaultCode, Refusal } from '../../shared/errors.ts';
import { STATUS_CODES, type StatusName } from '../../shared/status-codes.ts';

/** The way out of a refusal, where the code alone tells it. */
const REFUSAL_HINTS: { readonly [code in StatusName]?: string } = {
  eidMalformed:
    'An EID has 32 digits of which the last two are check digits (SGP.29): look for a typing error.',
  iccidInvalid:
    'An ICCID has 19 or 20 digits, the last of which is a check digit (Luhn). Rows may give 18 digits, which get theirs; metadata and all else give it whole.',
  oneTimeKeyInvalid: 'Give the uncompressed point, 04 and 64 octets, on the curve of the DPpb certificate.',
  metadataInvalid: 'Correct the named member of the metadata and try again.',
  euiccSignatureInvalid:
    'Check that the certificate is that of the eUICC which made the result, and that the file is as it was received.',
  dpCertificateInvalid:
    'Give a CERT.DPpb (role id-rspRole-dp-pb or -v2, keyUsage digitalSignature) and the private key that belongs to it.',
  dpCertificateExpired:
    'Renew the certificate, or choose another; one that is not valid yet is installed once it is.',
};

/** The way out where octets cannot be read. */
const DEFECT_HINTS: Readonly<Record<Defect, string>> = {
  cutOff: 'The object ends too early: fetch or export it again, as binary where it is binary.',
  otherKind: 'Another kind of object belongs here: smdpf inspect FILE says what this one is.',
  rule: 'Whoever wrote the object broke the rule that is named: ask for a correct one; smdpf inspect FILE shows the place.',
};

export function refusalHint(refusal: Refusal): string {
  if (refusal.defect !== undefined) return DEFECT_HINTS[refusal.defect];
  return REFUSAL_HINTS[refusal.code] ?? `The rule behind it: ${STATUS_CODES[refusal.code].meaning}.`;
}

const FAULT_HINTS: Readonly<Record<FaultCode, string>> = {
  configuration: 'Correct the option, URI or file that is named, and try again.',
  ledger: 'Check that the ledger can be reached and written to.',
  vault: 'Check that the vault can be reached and written to.',
  keyProvider: 'Check that the key exists, that its backend can be reached, and that its secret is right.',
  keyProviderThrottled: 'The key service limits its use; wait a little and try again.',
  dispatcher: 'Try again; a job goes on where it stopped.',
  notifier: 'Check the address of the Operator; what was not delivered is kept and tried again.',
  invariant: 'Run it again with SMDPF_DEBUG=1 to see where, and report that.',
};

export function faultHint(fault: Fault): string {
  return fault.retryable && fault.code !== 'keyProviderThrottled'
    ? `${FAULT_HINTS[fault.code]} The same call may succeed later.`
    : FAULT_HINTS[fault.code];
}
