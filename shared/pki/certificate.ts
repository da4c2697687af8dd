import { type Bytes, equal, fromHex } from '../codec/bytes.ts';
import { TlvReader } from '../codec/tlv.ts';
import type { Curve, PublicKey } from '../crypto/curves.ts';
import { splitSpki } from '../crypto/ec-key-forms.ts';
import { readEcdsaSignature } from '../crypto/ecdsa-signature.ts';
import { Refusal, refuse } from '../errors.ts';
import type { StatusName } from '../status-codes.ts';
import { readOctetAlignedBits, readSerial, readSmallNumber } from './der.ts';
import { decodeDistributionPoints, decodeExtensions, type Extensions } from './extensions/index.ts';
import { type Name, readIssuer, readName } from './name.ts';
import { OID, readOid } from './oids.ts';
import { readTime } from './time.ts';

const NULL = 0x05;
/** Of version 2, and without a meaning for whoever relies on a certificate (RFC 5280 section 4.1.2.8). */
const ISSUER_UNIQUE_ID = 0x81;
const SUBJECT_UNIQUE_ID = 0x82;

/** GSMA certificates have some 500 to 900 octets. */
export const MAX_CERTIFICATE = 8192;

interface CertificateFields {
  readonly raw: Bytes;
  readonly tbs: Bytes;
  readonly serialNumber: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly spki: Bytes;
  readonly extensions: Extensions;
  /** ECDSA-Sig-Value in DER. */
  readonly signatureValue: Bytes;
}

/**
 * An X.509 version 3 certificate of a GSMA chain (RFC 5280; SGP.22 section 4.5.2.1): EC key on a supported curve,
 * ecdsa-with-SHA256. Decoding verifies nothing but form: chains are verified in chain.ts.
 */
export class Certificate {
  /** The DER octets as received. */
  readonly raw: Bytes;
  /** The TBSCertificate element as received: what the signature is over. */
  readonly tbs: Bytes;
  /** Octets of the serial number as the shortest INTEGER, in hexadecimal, with its leading 00 where it needs one. */
  readonly serialNumber: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBeforeMs: number;
  /** The last second of validity. */
  readonly notAfterMs: number;
  /** SubjectPublicKeyInfo as received. */
  readonly spki: Bytes;
  readonly curve: Curve;
  readonly extensions: Extensions;
  /** ECDSA-Sig-Value in DER, whose r and s fit its own curve: a chain has one. */
  readonly signatureValue: Bytes;
  readonly #point: Bytes;
  readonly #refusedAs: StatusName;
  #publicKey: PublicKey | undefined;

  constructor(fields: CertificateFields, refusedAs: StatusName) {
    this.raw = fields.raw;
    this.tbs = fields.tbs;
    this.serialNumber = fields.serialNumber;
    this.issuer = fields.issuer;
    this.subject = fields.subject;
    this.notBeforeMs = fields.notBeforeMs;
    this.notAfterMs = fields.notAfterMs;
    this.spki = fields.spki;
    this.extensions = fields.extensions;
    const { curve, point } = splitSpki(fields.spki, refusedAs);
    this.curve = curve;
    readEcdsaSignature(curve, fields.signatureValue);
    this.signatureValue = fields.signatureValue;
    this.#point = point;
    this.#refusedAs = refusedAs;
  }

  /** Looked at on first use, since not every certificate's key is asked for; refuses a point off the curve. */
  get publicKey(): PublicKey {
    try {
      this.#publicKey ??= this.curve.publicKey(this.#point);
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      refuse(this.#refusedAs, 'the public key of the certificate is not a point of its curve', { cause });
    }
    return this.#publicKey;
  }

  get isCa(): boolean {
    return this.extensions.basicConstraints?.cA === true;
  }

  /** Does this certificate's signature hold under the issuer's key, over the octets as received? */
  isSignedBy(issuer: PublicKey): boolean {
    return issuer.curve.sigValueHolds(issuer, this.tbs, this.signatureValue);
  }
}

/**
 * Decodes one DER certificate. What is not DER of the form above is refused as `protocolFormat`, an unsupported
 * curve as `securityConfiguration`, and a rule broken by well-formed content (another signature algorithm, an
 * unknown critical extension, a key off its curve) as `refusedAs`.
 */
export function decodeCertificate(der: Bytes, refusedAs: StatusName = 'protocolFormat'): Certificate {
  if (der.length > MAX_CERTIFICATE)
    refuse('tooLarge', `a certificate has at most ${MAX_CERTIFICATE} octets, not ${der.length}`);
  const outer = new TlvReader(der);
  const certificate = outer.enter(0x30, 'Certificate');
  outer.end();

  const tbsElement = certificate.expect(0x30, 'tbsCertificate');
  const tbs = TlvReader.of(tbsElement, certificate.path);
  readVersion3(tbs);
  const serialNumber = readSerial(tbs, 'serialNumber');
  readSignatureAlgorithm(tbs, refusedAs);
  const issuer = readIssuer(tbs);
  const { notBeforeMs, notAfterMs } = readValidity(tbs);
  const subject = readName(tbs, 'subject');
  const spki = tbs.expect(0x30, 'subjectPublicKeyInfo').raw;
  tbs.optional(ISSUER_UNIQUE_ID);
  tbs.optional(SUBJECT_UNIQUE_ID);
  const wrapped = tbs.enter(0xa3, 'extensions');
  const { extensions, unknownCritical } = decodeExtensions(wrapped.enter(0x30, 'extensions'));
  wrapped.end();
  tbs.end();
  if (unknownCritical.length > 0)
    refuse(refusedAs, `the certificate has an unknown critical extension ${unknownCritical[0]}`);

  readSignatureAlgorithm(certificate, refusedAs);
  const signatureValue = readOctetAlignedBits(certificate, 'signatureValue');
  certificate.end();

  return new Certificate(
    {
      raw: der,
      tbs: tbsElement.raw,
      serialNumber,
      issuer,
      subject,
      notBeforeMs,
      notAfterMs,
      spki,
      extensions,
      signatureValue,
    },
    refusedAs,
  );
}

/** What decides how a certificate stands whose form and signature were looked at before: time, and revocation lists. */
export interface CertificateStanding
  extends Pick<Certificate, 'serialNumber' | 'notBeforeMs' | 'notAfterMs' | 'isCa'> {
  readonly extensions: Pick<Extensions, 'cRLDistributionPoints'>;
}

/**
 * Of the certificate of an eUICC, which is no CA, that `decodeCertificate` took before: every bind asks how it stands, and
 * names, key and the other extensions are a good part of what decoding costs.
 */
export function decodeStanding(der: Bytes): CertificateStanding {
  const tbs = new TlvReader(der).enter(0x30, 'Certificate').enter(0x30, 'tbsCertificate');
  tbs.optional(0xa0);
  const serialNumber = readSerial(tbs, 'serialNumber');
  tbs.expect(0x30, 'signature');
  tbs.expect(0x30, 'issuer');
  const validity = tbs.enter(0x30, 'validity');
  const notBeforeMs = readTime(validity, 'notBefore');
  const notAfterMs = readTime(validity, 'notAfter');
  tbs.expect(0x30, 'subject');
  tbs.expect(0x30, 'subjectPublicKeyInfo');
  tbs.optional(ISSUER_UNIQUE_ID);
  tbs.optional(SUBJECT_UNIQUE_ID);
  const list = tbs.enter(0xa3, 'extensions').enter(0x30, 'extensions');
  return { serialNumber, notBeforeMs, notAfterMs, isCa: false, extensions: decodeDistributionPoints(list) };
}

/** Validity (RFC 5280 section 4.1.2.5). */
export function readValidity(reader: TlvReader): Pick<Certificate, 'notBeforeMs' | 'notAfterMs'> {
  const validity = reader.enter(0x30, 'validity');
  const notBeforeMs = readTime(validity, 'notBefore');
  const notAfterMs = readTime(validity, 'notAfter');
  validity.end();
  return { notBeforeMs, notAfterMs };
}

/** Version 3: without it a certificate has no extensions, and no role (SGP.22 section 4.5.2.1). */
function readVersion3(tbs: TlvReader): void {
  // the version that is not written is version 1
  const version = tbs.peek()?.tag === 0xa0 ? tbs.enter(0xa0, 'version') : undefined;
  const number = version === undefined ? 0 : readSmallNumber(version, 'version');
  version?.end();
  if (number !== 2)
    refuse('protocolFormat', `the certificate is of version ${number + 1}; SGP.22 section 4.5.2.1 wants 3`);
}

/** The AlgorithmIdentifier that nearly all write. */
const ECDSA_WITH_SHA256 = fromHex('300a06082a8648ce3d040302');

/**
 * AlgorithmIdentifier: ecdsa-with-SHA256, inside and outside alike. RFC 5758 section 3.2 leaves the parameters out; some CAs
 * write NULL, as RSA's identifiers have it.
 */
export function readSignatureAlgorithm(reader: TlvReader, refusedAs: StatusName): void {
  const next = reader.peek();
  if (next !== undefined && equal(next.raw, ECDSA_WITH_SHA256)) {
    reader.next();
    return;
  }
  const algorithm = reader.enter(0x30, 'signatureAlgorithm');
  const oid = readOid(algorithm.expect(0x06, 'algorithm'));
  if (oid !== OID.ecdsaWithSha256)
    refuse(refusedAs, `the signature algorithm is ${oid}, not ecdsa-with-SHA256`);
  if (algorithm.peek()?.tag === NULL) algorithm.octets(NULL, 'parameters', 0);
  algorithm.end();
}
