import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bytes, equal } from '../shared/codec/bytes.ts';
import { attributesOf, type Certificate, parseCertificate, subjectKeyIdentifier } from './certificate.ts';
import {
  type CurveName,
  decodePrivateKeyPem,
  decodeRequestedSpki,
  decodeSpki,
  derToRaw,
  type EcKey,
  type EcPoint,
  encodePrivateKeyPem,
  generateKey,
  verify,
} from './curve.ts';
import { Fields, readOnly, SimError } from './tlv.ts';
import { type CrlScope, encodeName, extensions, type Name, signCertificate, signCrl } from './x509.ts';

const YEAR_MS = 365.25 * 24 * 3600 * 1000;
/** The year in which the eUICC certificates of SGP.26 end. */
const EUICC_NOT_AFTER = new Date('7496-01-24T23:59:59Z');

export interface CrlOptions {
  /** Hexadecimal serial numbers. */
  readonly revoked?: readonly string[];
  readonly number?: number;
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  readonly scope?: CrlScope;
}

/** A key with its CA certificate: what a CI and an EUM have in common. */
class SimCa {
  readonly certificate: Bytes;
  readonly parsed: Certificate;
  readonly key: EcKey;
  readonly crlUrl: string;

  constructor(certificate: Bytes, key: EcKey, crlUrl: string) {
    this.certificate = certificate;
    this.parsed = parseCertificate(certificate);
    this.key = key;
    this.crlUrl = crlUrl;
    if (!equal(this.parsed.publicKey.point, key.point)) {
      throw new SimError('the key does not belong to the certificate');
    }
  }

  get curve(): CurveName {
    return this.key.curve;
  }

  /** SubjectKeyIdentifier, 20 octets. */
  get keyId(): Bytes {
    return subjectKeyIdentifier(this.parsed);
  }

  /** A v2 CRL, empty unless told otherwise, valid for three years as in SGP.26. */
  issueCrl(options: CrlOptions = {}): Bytes {
    const thisUpdate = options.thisUpdate ?? new Date();
    return signCrl(
      {
        revoked: options.revoked ?? [],
        number: options.number ?? 1,
        thisUpdate,
        nextUpdate: options.nextUpdate ?? new Date(thisUpdate.getTime() + 3 * YEAR_MS),
        scope: options.scope ?? 'all',
        distributionPoint: this.crlUrl,
      },
      { subject: this.parsed.subject, key: this.key },
    );
  }

  protected issue(
    subject: Name,
    publicKey: EcPoint,
    validity: Validity & { readonly identifiedAs?: EcPoint },
    own: readonly Bytes[],
  ): Bytes {
    const notBefore = validity.notBefore ?? new Date(Date.now() - 60_000);
    return signCertificate(
      {
        subject,
        publicKey,
        notBefore,
        notAfter: validity.notAfter ?? new Date(notBefore.getTime() + 10 * YEAR_MS),
        extensions: [
          extensions.authorityKeyIdentifier(this.keyId),
          extensions.subjectKeyIdentifier((validity.identifiedAs ?? publicKey).point),
          ...own,
        ],
      },
      { subject: this.parsed.subject, key: this.key },
    );
  }

  protected writeFiles(folder: string, name: string): void {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `CERT_${name}.der`), this.certificate);
    writeFileSync(join(folder, `SK_${name}.pem`), encodePrivateKeyPem(this.key), { mode: 0o600 });
  }
}

export interface Validity {
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A public key as it comes from its owner: a PKCS#10 request, an SPKI (both DER) or a point. */
export type PublicKeySource = { readonly csr: Bytes } | { readonly spki: Bytes } | EcPoint;

export interface EumOptions extends Validity {
  readonly organization?: string;
  /** The eight digits that the EIDs of this EUM start with. */
  readonly iin?: string;
  readonly oid?: string;
  /** Adds cRLSign, so that the EUM may issue a CRL of its own. */
  readonly cRLSign?: boolean;
  /** That of an EUM which gets another certificate. */
  readonly key?: EcKey;
  /** Another key, whose key identifier the certificate claims: to make a wrong certificate. */
  readonly identifiedAs?: EcPoint;
}

export interface DpPbOptions extends Validity {
  /** The registeredID of the SM-DPf, later smdpOid in every PIR. */
  readonly oid: string;
  readonly cn?: string;
  readonly organization?: string;
  /** Last arcs of the policy: 5 for DPpb, 4 for DPauth, anything else to make a wrong certificate. */
  readonly role?: string;
}

export interface TlsOptions extends Validity {
  readonly cn: string;
  readonly dns?: readonly string[];
  readonly ipv4?: readonly string[];
  readonly oid?: string;
  readonly organization?: string;
}

/** A certificate issuer (CI) of variant O (SGP.26 as decoded in the certificate profiles): CI → EUM, DP leaves. */
export class SimCi extends SimCa {
  /** `key`: that of a CI which gets another certificate. */
  static create(
    options: { curve?: CurveName; cn?: string; oid?: string; key?: EcKey } & Validity = {},
  ): SimCi {
    const key = options.key ?? generateKey(options.curve ?? 'p256');
    const crlUrl = 'http://ci.test.example.com/CRL-A.crl';
    const subject: Name = [
      ['CN', options.cn ?? 'Simulated CI'],
      ['OU', 'TESTCERT'],
      ['O', 'RSPTEST'],
      ['C', 'IT'],
    ];
    const notBefore = options.notBefore ?? new Date(Date.now() - 60_000);
    const certificate = signCertificate(
      {
        subject,
        publicKey: key,
        notBefore,
        notAfter: options.notAfter ?? new Date(notBefore.getTime() + 35 * YEAR_MS),
        extensions: [
          extensions.subjectKeyIdentifier(key.point),
          extensions.ca(),
          extensions.policy('0'),
          extensions.keyUsage(5, 6),
          extensions.subjectAltName({ registeredId: options.oid ?? '2.999.1' }),
          extensions.cRLDistributionPoint(crlUrl),
        ],
      },
      { subject: encodeName(subject), key },
    );
    return new SimCi(certificate, key, crlUrl);
  }

  /** From a certificate (DER) and its private key (PEM), such as the CI of SGP.26. */
  static from(certificate: Bytes, keyPem: string): SimCi {
    return new SimCi(certificate, decodePrivateKeyPem(keyPem), 'http://ci.test.example.com/CRL-A.crl');
  }

  static load(folder: string, name = 'CI'): SimCi {
    return SimCi.from(...readFiles(folder, name));
  }

  /** Writes `CERT_<name>.der` and `SK_<name>.pem` (PKCS#8, readable by the owner only). */
  save(folder: string, name = 'CI'): void {
    this.writeFiles(folder, name);
  }

  issueEum(options: EumOptions = {}): SimEumCa {
    const key = options.key ?? generateKey(this.curve);
    const organization = options.organization ?? 'Simulated EUM';
    const certificate = this.issue(
      [
        ['C', 'ES'],
        ['O', organization],
        ['CN', `${organization} CA`],
      ],
      key,
      { notAfter: new Date(this.parsed.notAfter.getTime() - 1000), ...options },
      [
        extensions.keyUsage(5, ...(options.cRLSign ? [6] : [])),
        extensions.policy('2'),
        extensions.subjectAltName({ registeredId: options.oid ?? '2.999.5' }),
        extensions.ca(0),
        extensions.cRLDistributionPoint(this.crlUrl),
        extensions.nameConstraints(organization, options.iin ?? '89049032'),
      ],
    );
    return new SimEumCa(certificate, key);
  }

  /** CERT.DPpb for a key that stays with its owner; DER. */
  issueDpPb(publicKey: PublicKeySource, options: DpPbOptions): Bytes {
    return this.issue(
      [
        ['O', options.organization ?? 'Simulated SM-DPf'],
        ['CN', options.cn ?? 'SM-DPf'],
      ],
      pointOf(publicKey),
      options,
      [
        extensions.subjectAltName({ registeredId: options.oid }),
        extensions.keyUsage(0),
        extensions.policy(options.role ?? '5'),
        extensions.cRLDistributionPoint(this.crlUrl),
      ],
    );
  }

  /** A certificate for either end of a TLS connection; DER. */
  issueTls(publicKey: PublicKeySource, options: TlsOptions): Bytes {
    return this.issue(
      [
        ['O', options.organization ?? 'RSPTEST'],
        ['CN', options.cn],
      ],
      pointOf(publicKey),
      options,
      [
        extensions.keyUsage(0),
        extensions.policy('3', false),
        extensions.serverAndClientAuth(),
        extensions.subjectAltName({
          dns: options.dns ?? [],
          ipv4: options.ipv4 ?? [],
          ...(options.oid === undefined ? {} : { registeredId: options.oid }),
        }),
        extensions.cRLDistributionPoint(this.crlUrl),
      ],
    );
  }
}

/** The CA of an eUICC manufacturer; issues eUICC certificates and, where it may, a CRL of its own. */
export class SimEumCa extends SimCa {
  constructor(certificate: Bytes, key: EcKey) {
    super(certificate, key, 'http://eum.test.example.com/CRL.crl');
  }

  /** From a certificate (DER) and its private key (PEM), such as the EUM of SGP.26. */
  static from(certificate: Bytes, keyPem: string): SimEumCa {
    return new SimEumCa(certificate, decodePrivateKeyPem(keyPem));
  }

  static load(folder: string, name = 'EUM'): SimEumCa {
    return SimEumCa.from(...readFiles(folder, name));
  }

  save(folder: string, name = 'EUM'): void {
    this.writeFiles(folder, name);
  }

  get organization(): string {
    const attribute = attributesOf(this.parsed.subject).find(({ oid }) => oid === '2.5.4.10');
    if (attribute === undefined) throw new SimError('the EUM has no organizationName');
    return attribute.text;
  }

  /** The IIN in nameConstraints: the digits that its EIDs start with. */
  get iin(): string {
    const extension = this.parsed.extensions.get('2.5.29.30');
    if (extension === undefined) throw new SimError('the EUM has no nameConstraints');
    const subtrees = readOnly(readOnly(extension.value, 0x30).value, 0xa0).value;
    const directory = readOnly(readOnly(subtrees, 0x30).value, 0xa4).value;
    const attribute = attributesOf(directory).find(({ oid }) => oid === '2.5.4.5');
    if (attribute === undefined) throw new SimError('the EUM is not limited to an IIN');
    return attribute.text;
  }

  /** CERT.EUICC: the EID is the serialNumber of the subject; DER. */
  issueEuicc(eid: string, publicKey: PublicKeySource, validity: Validity = {}): Bytes {
    return this.issue(
      [
        ['C', 'ES'],
        ['O', this.organization],
        ['serialNumber', eid],
        ['CN', 'Simulated eUICC'],
      ],
      pointOf(publicKey),
      { notAfter: EUICC_NOT_AFTER, ...validity },
      [extensions.keyUsage(0), extensions.policy('1')],
    );
  }
}

/** The key of a PKCS#10 request (RFC 2986) after its proof of possession verified. */
export function publicKeyOfCsr(csr: Bytes): EcPoint {
  const outer = new Fields(readOnly(csr, 0x30).value);
  const info = outer.take(0x30);
  outer.take(0x30);
  const signature = derToRaw(outer.take(0x03).value.subarray(1));
  outer.end();
  const fields = new Fields(info.value);
  fields.take(0x02);
  fields.take(0x30);
  const publicKey = decodeRequestedSpki(fields.take(0x30).raw);
  if (!verify(publicKey, info.raw, signature)) throw new SimError('the request is not signed by its own key');
  return publicKey;
}

function pointOf(source: PublicKeySource): EcPoint {
  if ('csr' in source) return publicKeyOfCsr(source.csr);
  if ('spki' in source) return decodeSpki(source.spki);
  return { curve: source.curve, point: source.point };
}

function readFiles(folder: string, name: string): [Bytes, string] {
  return [
    readFileSync(join(folder, `CERT_${name}.der`)),
    readFileSync(join(folder, `SK_${name}.pem`), 'utf8'),
  ];
}
