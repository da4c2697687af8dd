import type { Bytes } from '../codec/bytes.ts';
import { TlvReader } from '../codec/tlv.ts';
import { LONGEST_CURVE } from '../crypto/curves.ts';
import { decodeEcdsaSignature } from '../crypto/ecdsa-signature.ts';
import { refuse } from '../errors.ts';
import { readSignatureAlgorithm } from './certificate.ts';
import { readNumber, readOctetAlignedBits, readSerial, readSmallNumber } from './der.ts';
import { decodeWhole, type RawExtension, readExtensions } from './extensions/index.ts';
import {
  decodeIssuingDistributionPoint,
  type IssuingDistributionPoint,
} from './extensions/issuing-distribution-point.ts';
import { decodeAuthorityKeyIdentifier } from './extensions/key-identifiers.ts';
import { type Name, readName } from './name.ts';
import { OID } from './oids.ts';
import { isTime, readTime } from './time.ts';

/** Some 400,000 revoked certificates. */
export const MAX_CRL = 16 * 1024 * 1024;

/** CRLReason (RFC 5280 section 5.3.1). removeFromCRL belongs to delta lists, which do not exist here. */
const REASONS = new Set([0, 1, 2, 3, 4, 5, 6, 9, 10]);

/** One of `total` segments of a list (SGP.22 v2: totalPartialCrlNumber, partialCrlNumber), counted from 1. */
export interface PartialCrl {
  readonly number: number;
  readonly total: number;
}

/** A version 2 certificate revocation list (RFC 5280 section 5; SGP.22 section 4.5.2.1.3), decoded, not verified. */
export interface Crl {
  readonly raw: Bytes;
  /** The TBSCertList element as received: what the signature is over. */
  readonly tbs: Bytes;
  readonly issuer: Name;
  /** The key that signs it. SGP.26's two CIs share name and serial number, so only this tells them apart. */
  readonly authorityKeyIdentifier: Bytes;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  readonly cRLNumber: bigint;
  readonly issuingDistributionPoint: IssuingDistributionPoint;
  readonly partial: PartialCrl | undefined;
  /** CRLReason by serial number, hexadecimal as in `Certificate.serialNumber`; unspecified (0) where absent. */
  readonly revoked: ReadonlyMap<string, number>;
  /** ECDSA-Sig-Value in DER, of good form; how long r and s may be, the issuer's curve says. */
  readonly signatureValue: Bytes;
}

/** Decodes one DER list. Other than well-formed lists of this profile are `protocolFormat` or `crlInvalid`. */
export function decodeCrl(der: Bytes): Crl {
  if (der.length > MAX_CRL) refuse('tooLarge', `a revocation list has at most ${MAX_CRL} octets`);
  const outer = new TlvReader(der);
  const list = outer.enter(0x30, 'CertificateList');
  outer.end();

  const tbsElement = list.expect(0x30, 'tbsCertList');
  const tbs = TlvReader.of(tbsElement, list.path);
  const version = tbs.peek()?.tag === 0x02 ? readSmallNumber(tbs, 'version') : 0;
  if (version !== 1)
    refuse(
      'protocolFormat',
      `the revocation list is of version ${version + 1}; SGP.22 section 4.5.2.1.3 wants 2`,
    );
  readSignatureAlgorithm(tbs, 'crlInvalid');
  const issuer = readName(tbs, 'issuer');
  const thisUpdateMs = readTime(tbs, 'thisUpdate');
  if (!isTime(tbs.peek())) refuse('crlInvalid', 'the revocation list has no nextUpdate');
  const nextUpdateMs = readTime(tbs, 'nextUpdate');
  const revoked = tbs.peek()?.tag === 0x30 ? readRevoked(tbs) : new Map<string, number>();
  const wrapped = tbs.enter(0xa0, 'crlExtensions');
  const extensions = decodeCrlExtensions(wrapped.enter(0x30, 'crlExtensions'));
  wrapped.end();
  tbs.end();

  readSignatureAlgorithm(list, 'crlInvalid');
  const signatureValue = readOctetAlignedBits(list, 'signatureValue');
  decodeEcdsaSignature(LONGEST_CURVE, signatureValue);
  list.end();
  return {
    raw: der,
    tbs: tbsElement.raw,
    issuer,
    thisUpdateMs,
    nextUpdateMs,
    revoked,
    signatureValue,
    ...extensions,
  };
}

function readRevoked(tbs: TlvReader): Map<string, number> {
  const revoked = new Map<string, number>();
  const entries = tbs.enter(0x30, 'revokedCertificates');
  do {
    const entry = entries.enter(0x30, 'revokedCertificate');
    const serialNumber = readSerial(entry, 'userCertificate');
    readTime(entry, 'revocationDate');
    const reason = entry.done ? 0 : readReason(entry.enter(0x30, 'crlEntryExtensions'));
    entry.end();
    if (revoked.has(serialNumber)) refuse('crlInvalid', `serial number ${serialNumber} is listed twice`);
    revoked.set(serialNumber, reason);
  } while (!entries.done);
  return revoked;
}

function readReason(list: TlvReader): number {
  let reason = 0;
  for (const { oid, critical, value } of readExtensions(list)) {
    if (oid === OID.reasonCode) {
      const code = decodeWhole(value, oid, (reader) => reader.octets(0x0a, 'CRLReason', 1)[0]!);
      if (!REASONS.has(code)) refuse('crlInvalid', `${code} is no reason for revocation in a complete list`);
      reason = code;
      // expDate (SGP.22 v2) says when the entry may go; certificateIssuer, of indirect lists, is always critical
    } else if (critical && oid !== OID.expDate)
      refuse('crlInvalid', `an entry has the unknown critical extension ${oid}`);
  }
  return reason;
}

type CrlExtensions = Pick<
  Crl,
  'authorityKeyIdentifier' | 'cRLNumber' | 'issuingDistributionPoint' | 'partial'
>;

function decodeCrlExtensions(list: TlvReader): CrlExtensions {
  let authorityKeyIdentifier: Bytes | undefined;
  let cRLNumber: bigint | undefined;
  let issuingDistributionPoint: IssuingDistributionPoint = { covers: 'all', uris: [] };
  let partialNumber: number | undefined;
  let partialTotal: number | undefined;
  for (const extension of readExtensions(list)) {
    const decode = <T>(read: (reader: TlvReader) => T): T =>
      decodeWhole(extension.value, extension.oid, read);
    switch (extension.oid) {
      case OID.authorityKeyIdentifier:
        authorityKeyIdentifier = decode(decodeAuthorityKeyIdentifier);
        break;
      case OID.cRLNumber:
        cRLNumber = decode((reader) => readNumber(reader, 'cRLNumber'));
        break;
      case OID.issuingDistributionPoint:
        issuingDistributionPoint = decode(decodeIssuingDistributionPoint);
        break;
      case OID.partialCrlNumber:
        partialNumber = decode((reader) => readSmallNumber(reader, 'partialCrlNumber'));
        break;
      case OID.totalPartialCrlNumber:
        partialTotal = decode((reader) => readSmallNumber(reader, 'totalPartialCrlNumber'));
        break;
      default:
        refuseCritical(extension);
    }
  }
  if (authorityKeyIdentifier === undefined) refuse('crlInvalid', 'the list has no AuthorityKeyIdentifier');
  if (cRLNumber === undefined) refuse('crlInvalid', 'the list has no cRLNumber');
  const partial = partialOf(partialNumber, partialTotal);
  return { authorityKeyIdentifier, cRLNumber, issuingDistributionPoint, partial };
}

/** An unknown critical extension, such as deltaCRLIndicator, changes what the list means. */
function refuseCritical({ oid, critical }: RawExtension): void {
  if (critical) refuse('crlInvalid', `the list has the unknown critical extension ${oid}`);
}

function partialOf(number: number | undefined, total: number | undefined): PartialCrl | undefined {
  if (number === undefined && total === undefined) return undefined;
  if (number === undefined || total === undefined || number < 1 || number > total)
    refuse('crlInvalid', 'partialCrlNumber and totalPartialCrlNumber do not fit together');
  return { number, total };
}
