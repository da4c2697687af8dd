import { type Bytes, equal, toHex } from '../../codec/bytes.ts';
import { canonicalSpki, fromSpki } from '../../crypto/ec-key-forms.ts';
import { refuse } from '../../errors.ts';
import type { Item } from '../../ledger/ledger.ts';
import { type Certificate, decodeCertificate } from '../../pki/certificate.ts';
import { nameText } from '../../pki/name.ts';
import { roleOf } from '../../pki/roles.ts';
import { present } from '../../present.ts';
import { type CiRecord, ciRecord, type EumRecord, eumRecord } from '../records/trust.ts';
import { ofKind, sha256 } from './trust-items.ts';

/** What an add to the trust partition makes of what is there: it never takes anything away. */

/** One certificate of a CI that is trusted. A CI is known by its key, which may have several. */
export interface CiCertificate {
  readonly keyId: string;
  /** Of the certificate, hexadecimal: its own name. */
  readonly sha256: string;
  /** For people: `CN=…, O=…`. */
  readonly subject: string;
  /** The last second of its validity. */
  readonly notAfter: Date;
  readonly forSigning: boolean;
  readonly forVerification: boolean;
}

/** Which selections of the trust store a CI is in; see shared/pki/trust-store.ts. */
export type CiUse = Pick<CiRecord, 'forSigning' | 'forVerification'>;

export function ciCertificates(items: readonly Item[]): CiCertificate[] {
  return ofKind(items, 'ci').map((item) => ciCertificate(ciRecord.from(item)));
}

export function ciCertificate({ certificate, forSigning, forVerification }: CiRecord): CiCertificate {
  const { extensions, subject, notAfterMs } = decodeCertificate(certificate, 'ciUnknown');
  return {
    keyId: toHex(extensions.subjectKeyIdentifier!),
    sha256: sha256(certificate),
    subject: nameText(subject.attributes),
    notAfter: new Date(notAfterMs),
    forSigning,
    forVerification,
  };
}

/** A CI certificate with the uses that it has and those that are added; undefined where that is nothing new. */
export function withUse(held: CiRecord | undefined, certificate: Bytes, use: CiUse): CiRecord | undefined {
  const { forSigning = false, forVerification = false } = held ?? {};
  const record = {
    certificate,
    forSigning: forSigning || use.forSigning,
    forVerification: forVerification || use.forVerification,
  };
  const isNew =
    held === undefined || forSigning !== record.forSigning || forVerification !== record.forVerification;
  return isNew ? record : undefined;
}

/** What the administrator says of an EUM: who speaks for it, and what signs its batches. */
export type EumTerms = Omit<EumRecord, 'certificates'>;

/** Decodes the certificate of an EUM that is to be allowed. */
export function decodeEum(der: Bytes): Certificate {
  const certificate = decodeCertificate(der, 'eumCertificateInvalid');
  const { role } = roleOf(certificate, 'eumCertificateInvalid');
  if (role !== 'eum') refuse('eumCertificateInvalid', `the certificate has the role ${role}, not EUM`);
  if (certificate.extensions.subjectKeyIdentifier === undefined)
    refuse('eumCertificateInvalid', 'the EUM certificate has no SubjectKeyIdentifier');
  return certificate;
}

/**
 * An EUM on the allow-list with another certificate of its key, and terms as they are said now; a data key that is not
 * mentioned stays, with its rule, since batches would otherwise go unsigned by an oversight. The data key may be in
 * any form that shared/crypto/ec-key-forms.ts takes.
 */
export function withCertificate(held: EumRecord | undefined, certificate: Bytes, terms: EumTerms): EumRecord {
  const certificates = held?.certificates ?? [];
  const { party, dataKey, dataSignature } = terms;
  if (dataKey !== undefined) fromSpki(canonicalSpki(dataKey));
  const signing =
    dataKey === undefined
      ? { dataKey: held?.dataKey, dataSignature: held?.dataSignature }
      : { dataKey: canonicalSpki(dataKey), dataSignature };
  return {
    party,
    ...present(signing),
    certificates: certificates.some((one) => equal(one, certificate))
      ? certificates
      : [...certificates, certificate],
  };
}

export interface AllowedEum {
  readonly keyId: string;
  readonly party: string;
  /** SHA-256 of each of its certificates, hexadecimal. */
  readonly certificates: readonly string[];
}

export function allowedEums(items: readonly Item[]): AllowedEum[] {
  return ofKind(items, 'eum').map((item) => {
    const { party, certificates } = eumRecord.from(item);
    return { keyId: item.sort.split('#')[1]!, party, certificates: certificates.map(sha256) };
  });
}
