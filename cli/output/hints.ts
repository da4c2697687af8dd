import type { Defect, Fault, FaultCode, Refusal } from '../../shared/errors.ts';
import type { StatusName } from '../../shared/status-codes.ts';

/** The way out of each refusal: what whoever reads it can do. */
const REFUSAL_HINTS: Readonly<Record<StatusName, string>> = {
  requesterUnknown:
    'Register the client certificate with the server: smdpf party add IDENTIFIER --role ROLE --certificate FILE.',
  requesterNotAllowed:
    'Call with the certificate of the party that it belongs to, in the role that the function asks for: smdpf party list shows both.',
  rateExceeded:
    "Wait as long as Retry-After says and send the same again; the server's limit is rateLimit of its configuration.",
  serverBusy: 'Send the same again after the time that Retry-After says.',
  protocolFormat: 'Look what the object really is: smdpf inspect FILE shows it field by field.',
  protocolVersion: 'Send the header X-Admin-Protocol that openapi.yaml names.',
  mandatoryElementMissing: 'Add the element that is named.',
  functionUnknown: 'Correct the path: openapi.yaml has all functions.',
  functionUnsupported: 'Leave the option that is named away.',
  requestChanged: 'Send the first body again, or another body under a new identifier.',
  requestUnknown: 'Correct the identifier: it is that of a request which this party has made.',
  transferInvalid: 'Ask for the transfer again, and use the link as it comes.',
  transferExpired: 'Ask for the transfer again: smdpf pull goes on where it stopped.',
  transferMismatch: 'Upload the content that the link was made for, octet by octet, or ask for another link.',
  tooLarge: 'Cut it into several; the message names the limit.',
  providerUnavailable: 'Send the same again later; the log of the server says which part is out of reach.',
  ledgerFrozen: 'Bring the ledger up to date first: smdpf restore plan, then smdpf restore run.',
  formNotInForce: 'Once every process is of the newer release: smdpf upgrade activate (docs/upgrades.md).',
  executionError: 'Send the same again; the log of the server has the incident.',
  euiccSignatureInvalid:
    'Check that the certificate is that of the eUICC which made the result, and that the file is as it was received.',
  oneTimeKeyProofInvalid:
    "Ask the EUM for the eUICC's data anew: the proof is of this eUICC, this key and this version.",
  oneTimeKeyInvalid: 'Give the uncompressed point, 04 and 64 octets, on the curve of the DPpb certificate.',
  oneTimeKeyInUse: 'Take another one-time key: this one has served, or is closed.',
  oneTimeKeyUnknown: 'Leave keyId out, or name a key that the EUM has sent for this eUICC.',
  oneTimeKeyUnavailable: 'Have the EUM send more one-time keys for this eUICC.',
  euiccInsufficientMemory: 'Choose a smaller profile, or an eUICC with more memory.',
  euiccInfoInvalid: 'Ask the EUM for EuiccInfo2 as the eUICC gives it, with its proof.',
  eidUnknown: "Have the EUM send the eUICC's data first, or put its file into the request (--euicc-data).",
  eidBoundElsewhere: 'Ask the EUM to whom the EID is entitled.',
  eidMalformed:
    'An EID has 32 digits of which the last two are check digits (SGP.29): look for a typing error.',
  eidDuplicate: 'Name each EID once, with the data that it was registered with.',
  eidOutsideEumRange:
    'Allow the range for this EUM: smdpf trust allow-eum, or ask the EUM for its certificate of that range.',
  eumCertificateInvalid:
    'Give the EUM certificate and its sub-CAs up to a trusted CI; smdpf inspect FILE shows the role of each.',
  eumCertificateExpired:
    'Ask the EUM for data under a certificate that is valid; smdpf trust list shows what is revoked.',
  eumNotAllowed: 'Allow the EUM on the server: smdpf trust allow-eum CERTIFICATE --party IDENTIFIER.',
  euiccCertificateInvalid: 'Ask the EUM for the certificate chain that belongs to this eUICC.',
  euiccCertificateExpired:
    'Ask the EUM for a valid certificate of this eUICC; smdpf trust list shows what is revoked.',
  profileInvalid: 'Look at it with smdpf profile check FILE: it names each rule and its way out.',
  noNewBinding: 'Send the first request again for the same package, or say additional for one more profile.',
  iccidInvalid:
    'An ICCID has 19 or 20 digits, the last of which is a check digit (Luhn). Rows may give 18 digits, which get theirs; metadata and all else give it whole.',
  iccidNotAllowed: 'Name an ICCID of an order of your own.',
  iccidInUse: 'Begin another range: an ICCID is given once.',
  iccidUnknown: 'Correct the ICCID: smdpf sim operator status, or getOrderStatus, lists those of an order.',
  iccidOtherEid: 'Name no ICCID, or the one that is bound to this EID.',
  profileStateForbids: 'Look at the state with getOrderStatus: the message says which one it has to be.',
  profileTypeUnknown: 'Name the profile type of the order.',
  profileTypeExhausted: 'Order more profiles.',
  profileTypeMismatch: 'Name the profile type that the order has.',
  notEligible: "Choose an eUICC that meets the rule which is named, or change the order's eligibility.",
  pprNotAllowed: 'Leave the profile policy rule out of the metadata, or choose another eUICC.',
  metadataInvalid: 'Correct the named member of the metadata and try again.',
  bppUnknown: 'Correct the identifier of the Bound Profile Package.',
  personalisationInvalid:
    'Correct the parameter and row that are named: docs/profiles.md has all parameters.',
  securityConfiguration:
    'Install a binding certificate under a CI and on a curve that the eUICC has: smdpf keys install.',
  noDpChain:
    'Install a binding certificate under a CI that the eUICC trusts: smdpf keys csr, then smdpf keys install.',
  dpCertificateInvalid:
    'Give a CERT.DPpb (role id-rspRole-dp-pb or -v2, keyUsage digitalSignature) and the private key that belongs to it.',
  dpCertificateExpired:
    'Renew the certificate, or choose another; one that is not valid yet is installed once it is.',
  orderUnknown:
    'Correct orderId; an order is seen by its Operator, and by the device manufacturers that it names.',
  orderExpired: 'Place a new order.',
  orderInvalid: 'Correct the member that is named and send the order again.',
  transactionUnknown: 'Send the report to the server that has made the package.',
  transactionMismatch: 'Report each result with the eUICC that has given it.',
  resultContradicts:
    'Keep both results and ask the device manufacturer: an eUICC signs one final result for a transaction.',
  ciUnknown:
    "Trust the CI itself: smdpf trust add-ci CERTIFICATE, which is the root's, with the role of a CI.",
  crlInvalid: 'Fetch the newest list of the CI that has issued the certificates: smdpf trust add-crl LIST.',
  crlMissing:
    'Bring the list: smdpf trust add-crl LIST; or let the policy of the CI do without one: smdpf trust policy --help.',
};

/** The way out where octets cannot be read. */
const DEFECT_HINTS: Readonly<Record<Defect, string>> = {
  cutOff: 'The object ends too early: fetch or export it again, as binary where it is binary.',
  otherKind: 'Another kind of object belongs here: smdpf inspect FILE says what this one is.',
  rule: 'Whoever wrote the object broke the rule that is named: ask for a correct one; smdpf inspect FILE shows the place.',
};

export function refusalHint(refusal: Pick<Refusal, 'code'> & Partial<Pick<Refusal, 'defect'>>): string {
  if (refusal.defect !== undefined) return DEFECT_HINTS[refusal.defect];
  return REFUSAL_HINTS[refusal.code];
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
