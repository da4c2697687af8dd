import { type Bytes, equal } from '../../codec/bytes.ts';
import { encodeOid } from '../../codec/oid.ts';
import { readTlv, type Tlv, TlvReader } from '../../codec/tlv.ts';
import { Refusal } from '../../errors.ts';
import { present } from '../../present.ts';
import { readDefaultFalse } from '../der.ts';
import { OID, readOid } from '../oids.ts';
import { type BasicConstraints, decodeBasicConstraints } from './basic-constraints.ts';
import { decodeCertificatePolicies } from './certificate-policies.ts';
import { decodeCrlDistributionPoints } from './crl-distribution-points.ts';
import { decodeExtendedKeyUsage } from './extended-key-usage.ts';
import { decodeAuthorityKeyIdentifier, decodeSubjectKeyIdentifier } from './key-identifiers.ts';
import { decodeKeyUsage, type KeyUsage } from './key-usage.ts';
import { decodeNameConstraints, type NameConstraints } from './name-constraints.ts';
import { decodePermittedEins } from './permitted-eins.ts';
import { decodeSubjectAltName, type SubjectAltName } from './subject-alt-name.ts';

const MAX_EXTENSIONS = 32;

/** What the extensions of a certificate say; absent ones are undefined. */
export interface Extensions {
  readonly keyUsage?: KeyUsage | undefined;
  readonly basicConstraints?: BasicConstraints | undefined;
  readonly certificatePolicies?: readonly string[] | undefined;
  readonly subjectKeyIdentifier?: Bytes | undefined;
  readonly authorityKeyIdentifier?: Bytes | undefined;
  readonly subjectAltName?: SubjectAltName | undefined;
  readonly nameConstraints?: NameConstraints | undefined;
  readonly permittedEins?: readonly string[] | undefined;
  readonly cRLDistributionPoints?: readonly string[] | undefined;
  readonly extendedKeyUsage?: readonly string[] | undefined;
}

const decoders: { readonly [Field in keyof Extensions]-?: (reader: TlvReader) => Extensions[Field] } = {
  keyUsage: decodeKeyUsage,
  basicConstraints: decodeBasicConstraints,
  certificatePolicies: decodeCertificatePolicies,
  subjectKeyIdentifier: decodeSubjectKeyIdentifier,
  authorityKeyIdentifier: decodeAuthorityKeyIdentifier,
  subjectAltName: decodeSubjectAltName,
  nameConstraints: decodeNameConstraints,
  permittedEins: decodePermittedEins,
  cRLDistributionPoints: decodeCrlDistributionPoints,
  extendedKeyUsage: decodeExtendedKeyUsage,
};

const byOid = new Map(
  Object.entries(decoders).map(([field, decode]) => [OID[field as keyof typeof decoders], { field, decode }]),
) as ReadonlyMap<string, { field: string; decode: (reader: TlvReader) => unknown }>;

export interface DecodedExtensions {
  readonly extensions: Extensions;
  /** Critical ones that no decoder knows: whoever relies on the certificate must refuse it. */
  readonly unknownCritical: readonly string[];
}

/** Extensions of a certificate (RFC 5280 section 4.2): each at most once, whatever its order or criticality. */
export function decodeExtensions(list: TlvReader): DecodedExtensions {
  const extensions: Record<string, unknown> = {};
  const unknownCritical: string[] = [];
  for (const { oid, critical, value } of readExtensions(list)) {
    const known = byOid.get(oid);
    if (known !== undefined) extensions[known.field] = decodeOnce(value, oid, known.decode);
    else if (critical) unknownCritical.push(oid);
  }
  return { extensions, unknownCritical };
}

/** The distribution points alone; the list was decoded as a whole before. */
export function decodeDistributionPoints(list: TlvReader): Pick<Extensions, 'cRLDistributionPoints'> {
  while (!list.done) {
    const extension = list.enter(0x30, 'Extension');
    if (!equal(extension.expect(0x06, 'extnID').value, DISTRIBUTION_POINTS)) continue;
    readDefaultFalse(extension);
    const value = extension.expect(0x04, 'extnValue');
    const decoded = decodeOnce(value, OID.cRLDistributionPoints, decoders.cRLDistributionPoints);
    return { cRLDistributionPoints: decoded as Extensions['cRLDistributionPoints'] };
  }
  return {};
}

const DISTRIBUTION_POINTS = encodeOid(OID.cRLDistributionPoints);

/** The value of each extension that was decoded last: certificates of one issuer share nearly all of theirs. */
const LAST = new Map<string, { readonly raw: Bytes; readonly decoded: unknown }>();

/** Decodes a value, or gives what the same octets were decoded to just before; decoded values are never changed. */
function decodeOnce(value: Tlv, oid: string, decode: (reader: TlvReader) => unknown): unknown {
  const last = LAST.get(oid);
  // of one class too: views of a Buffer are Buffers
  if (last?.raw.constructor === value.raw.constructor && equal(last.raw, value.raw)) return last.decoded;
  const decoded = decodeWhole(value, oid, decode);
  // each certificate has its own
  if (oid === OID.subjectKeyIdentifier) return decoded;
  // of a copy, since what is decoded may be views, and what was read a view of much more
  const raw = Buffer.isBuffer(value.raw) ? Buffer.from(value.raw) : Uint8Array.from(value.raw);
  LAST.set(oid, { raw, decoded: decodeWhole(readTlv(raw), oid, decode) });
  return decoded;
}

export interface RawExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** The OCTET STRING element around the value. */
  readonly value: Tlv;
}

/** The children of an Extensions element: at least one, none twice. */
export function readExtensions(list: TlvReader): RawExtension[] {
  const found: RawExtension[] = [];
  do {
    const extension = list.enter(0x30, 'Extension');
    const identifier = extension.expect(0x06, 'extnID');
    const oid = readOid(identifier);
    if (found.some((earlier) => earlier.oid === oid)) extension.refuse(identifier, `${oid} occurs twice`);
    if (found.length === MAX_EXTENSIONS)
      extension.refuse(identifier, `more than ${MAX_EXTENSIONS} extensions`);
    const critical = readDefaultFalse(extension);
    found.push({ oid, critical, value: extension.expect(0x04, 'extnValue') });
    extension.end();
  } while (!list.done);
  return found;
}

/** Decodes the value inside an extension's OCTET STRING and refuses what follows it. */
export function decodeWhole<T>(value: Tlv, oid: string, decode: (reader: TlvReader) => T): T {
  const inside = TlvReader.of(value, oid);
  try {
    const decoded = decode(inside);
    inside.end();
    return decoded;
  } catch (error) {
    if (!(error instanceof Refusal) || error.defect !== 'cutOff') throw error;
    // what is around it is whole: not the file ends too early, but the issuer wrote a value that does
    throw new Refusal(error.code, `extension ${oid} ends too early: ${error.message}`, {
      ...present({ offset: error.offset, subjectIdentifier: error.subjectIdentifier }),
      defect: 'rule',
      cause: error,
    });
  }
}
