/**
 * Subject and reason codes of the GSMA RSP function interfaces (SGP.22 v2.x/v3.x section 5.2.6), one row for
 * each refusal that this server can give. A refusal is named once here and nowhere else: code that refuses says
 * `refuse('eidUnknown', …)`, and the HTTP binding reads the codes from the row.
 *
 * `origin` says whether the pair is published for that situation or our own proposal (pre-SGP.42).
 * Codes are strings: "3.10" is not "3.1".
 */
export interface StatusCode {
  readonly subject: string;
  readonly reason: string;
  readonly origin: 'published' | 'proposed';
  readonly meaning: string;
}

const published = (subject: string, reason: string, meaning: string): StatusCode => ({
  subject,
  reason,
  origin: 'published',
  meaning,
});
const proposed = (subject: string, reason: string, meaning: string): StatusCode => ({
  subject,
  reason,
  origin: 'proposed',
  meaning,
});

export const STATUS_CODES = {
  // 1.x: the function call itself
  requesterUnknown: published('1.1', '3.9', 'the caller is not a registered party'),
  requesterNotAllowed: published('1.1', '1.2', 'the caller may not use this function or reach this object'),
  rateExceeded: proposed('1.1', '6.4', 'the caller exceeds its rate limit'),
  serverBusy: proposed('1.2', '6.4', 'the server has as much work as it admits; try again'),
  protocolFormat: proposed('1.3.1', '2.1', 'the message is not well-formed'),
  protocolVersion: published('1.3.2', '3.1', 'the protocol version is not supported'),
  mandatoryElementMissing: published('1.3.1', '2.2', 'a mandatory element is missing'),
  functionUnknown: published('1.6', '3.9', 'no such function'),
  functionUnsupported: published('1.6', '3.1', 'the function does not support this option'),
  requestChanged: proposed('1.6', '3.11', 'the identifier was used before with another body'),
  requestUnknown: proposed('1.6', '3.9', 'no request with this identifier'),
  transferInvalid: proposed('1.6', '6.1', 'the transfer link is not one of this server, or for another use'),
  transferExpired: proposed('1.6', '6.3', 'the transfer link has expired'),
  transferMismatch: proposed('1.6', '3.8', 'the content is not what the transfer link was made for'),
  tooLarge: proposed('1.3.1', '3.8', 'the message or one of its lists is larger than the limit'),
  providerUnavailable: published('1.2', '5.1', 'a part of the service is out of reach; try again'),
  ledgerFrozen: published('1.2', '5.1', 'the ledger was restored and is frozen until it is reconciled'),
  formNotInForce: published('1.2', '5.1', 'what is asked for needs a stored form that is not in force yet'),
  executionError: published('1.2', '4.2', 'the service failed; the event is recorded'),

  // 8.1.x: eUICC, EID, certificates
  euiccSignatureInvalid: published('8.1', '6.1', 'a signature of the eUICC does not verify'),
  oneTimeKeyProofInvalid: proposed('8.1', '6.1', 'the proof of a one-time key does not verify'),
  oneTimeKeyInvalid: proposed('8.1', '2.1', 'a one-time key is not a valid point of the curve'),
  oneTimeKeyInUse: proposed('8.1', '3.3', 'the one-time key was used, registered or closed before'),
  oneTimeKeyUnknown: proposed('8.1', '3.9', 'the eUICC has no one-time key with this identifier'),
  oneTimeKeyUnavailable: proposed('8.1', '3.7', 'the eUICC has no unused one-time key left'),
  euiccInsufficientMemory: published('8.1', '4.8', 'not enough memory for the profile'),
  euiccInfoInvalid: proposed('8.1', '2.1', 'EuiccInfo2 is malformed or does not match its proof'),
  eidUnknown: published('8.1.1', '3.9', 'no data is registered for this EID'),
  eidBoundElsewhere: published('8.1.1', '3.10', 'the EID belongs to another order or party'),
  eidMalformed: proposed('8.1.1', '2.1', 'the EID is malformed or its check digits are wrong'),
  eidDuplicate: proposed('8.1.1', '3.3', 'the EID occurs twice, or is registered with other data'),
  eidOutsideEumRange: proposed('8.1.2', '6.1', 'the EID is outside the range its EUM may issue'),
  eumCertificateInvalid: published('8.1.2', '6.1', 'the EUM certificate chain does not verify'),
  eumCertificateExpired: published('8.1.2', '6.3', 'an EUM certificate is expired, not yet valid or revoked'),
  eumNotAllowed: proposed('8.1.2', '3.8', 'the EUM is not on the allow-list of this server'),
  euiccCertificateInvalid: published('8.1.3', '6.1', 'the eUICC certificate does not verify'),
  euiccCertificateExpired: published(
    '8.1.3',
    '6.3',
    'the eUICC certificate is expired, not yet valid or revoked',
  ),

  // 8.2.x: profiles
  profileInvalid: proposed('8.2', '2.1', 'the profile package is malformed or inconsistent'),
  noNewBinding: published(
    '8.2',
    '3.7',
    'the profile was bound before; the same answer is given, never another',
  ),
  iccidInvalid: proposed('8.2.1', '2.1', 'the ICCID is malformed'),
  iccidNotAllowed: published('8.2.1', '1.2', 'the ICCID is not allowed for this caller'),
  iccidInUse: published('8.2.1', '3.3', 'the ICCID is in use already'),
  iccidUnknown: published('8.2.1', '3.9', 'no profile with this ICCID'),
  iccidOtherEid: published('8.2.1', '3.10', 'the ICCID is bound to another EID'),
  profileStateForbids: published('8.2.1', '3.5', 'the state of the profile does not allow this'),
  profileTypeUnknown: published('8.2.5', '3.9', 'no such profile type'),
  profileTypeExhausted: published('8.2.5', '3.7', 'the order has no profile left'),
  profileTypeMismatch: published('8.2.5', '3.8', 'the profile type does not match'),
  notEligible: published('8.2.5', '4.3', 'the eUICC is not eligible for the profile'),
  pprNotAllowed: proposed('8.2.8', '3.8', 'a profile policy rule is forbidden by the eUICC'),
  metadataInvalid: proposed('8.2.9', '2.1', 'the profile metadata is invalid'),
  bppUnknown: proposed('8.2.10', '3.9', 'no such Bound Profile Package'),
  personalisationInvalid: proposed(
    '8.2',
    '6.1',
    'a personalisation value is invalid or does not fit the template',
  ),

  // 8.8.x, 8.10, 8.11: this server, orders, transactions, eSIM CA
  securityConfiguration: published('8.8.2', '3.1', 'no configured CI or curve fits'),
  noDpChain: published('8.8.4', '3.7', 'this server has no certificate under a CI that the eUICC trusts'),
  dpCertificateInvalid: proposed('8.8.4', '6.1', 'the certificate chain of this server does not verify'),
  dpCertificateExpired: proposed('8.8.4', '6.3', 'the certificate of this server is expired or revoked'),
  orderUnknown: proposed('8.8.5', '3.9', 'no such order'),
  orderExpired: published('8.8.5', '4.10', 'the order is expired, closed or cancelled'),
  orderInvalid: proposed('8.8.5', '2.1', 'the order is not valid'),
  transactionUnknown: published('8.10.1', '3.9', 'no such transactionId'),
  transactionMismatch: proposed('8.10.1', '3.10', 'the result does not match the transaction'),
  resultContradicts: proposed('8.10.1', '3.11', 'another final result is on record for this transaction'),
  ciUnknown: published('8.11.1', '3.9', 'the eSIM CA is not trusted by this server'),
  crlInvalid: proposed('8.11.1', '6.1', 'the revocation list does not verify or goes backwards'),
  crlMissing: proposed('8.11.1', '6.3', 'a needed revocation list is missing or expired'),
} as const satisfies Record<string, StatusCode>;

export type StatusName = keyof typeof STATUS_CODES;
