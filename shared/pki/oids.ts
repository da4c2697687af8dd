import { decodeOid, encodeOid } from '../codec/oid.ts';
import type { Tlv } from '../codec/tlv.ts';

/** Object identifiers of X.509 (RFC 5280, RFC 5480) and of the GSMA RSP arc (SGP.22 annex "ASN.1 definitions"). */
export const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',

  commonName: '2.5.4.3',
  serialNumber: '2.5.4.5',
  countryName: '2.5.4.6',
  organizationName: '2.5.4.10',
  organizationalUnitName: '2.5.4.11',

  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  cRLNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  issuingDistributionPoint: '2.5.29.28',
  nameConstraints: '2.5.29.30',
  cRLDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  extensionRequest: '1.2.840.113549.1.9.14',

  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',

  expDate: '2.23.146.1.2.0.1',
  totalPartialCrlNumber: '2.23.146.1.2.0.2',
  partialCrlNumber: '2.23.146.1.2.0.3',
  permittedEins: '2.23.146.1.2.2.0',
} as const;

/** The GSMA role arc, see roles.ts. */
export const ROLE_ARC = '2.23.146.1.2.1';

const known = new Map(Object.values(OID).map((dotted) => [key(encodeOid(dotted)), dotted as string]));

function key(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
}

/** Dotted form of an OBJECT IDENTIFIER element; the ones above without decoding, as ingest reads millions. */
export function readOid(element: Tlv): string {
  return known.get(key(element.value)) ?? decodeOid(element.value);
}
