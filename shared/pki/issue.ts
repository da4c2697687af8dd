import { createHash } from 'node:crypto';
import * as asn1js from 'asn1js';
import type { Bytes } from '../codec/bytes.ts';
import { fromSpki } from '../crypto/ec-key-forms.ts';
import { encodeEcdsaSignature } from '../crypto/ecdsa-signature.ts';
import { refuse } from '../errors.ts';
import { type Certificate, decodeCertificate } from './certificate.ts';
import { OID } from './oids.ts';

/**
 * The few certificates that this server makes itself: a development CA and TLS certificates under it, for
 * `smdpf serve` and for parties of a test. GSMA certificates come from a GSMA CI, never from here.
 */
export interface Subject {
  readonly commonName: string;
  readonly organizationName?: string;
}

export interface IssueInput {
  readonly subject: Subject;
  /** SubjectPublicKeyInfo in DER of an uncompressed point. */
  readonly spki: Bytes;
  /** 1 to 19 random octets. */
  readonly serialNumber: Bytes;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Signs with ECDSA and SHA-256: raw r‖s over a message. Any key provider fits behind it. */
export type Sign = (message: Bytes) => Promise<Bytes>;

export interface Issuer {
  /** DER. */
  readonly certificate: Bytes;
  readonly sign: Sign;
}

export interface TlsServerInput extends IssueInput {
  readonly dnsNames: readonly string[];
  /** Four (IPv4) or sixteen (IPv6) octets each. */
  readonly ipAddresses?: readonly Bytes[];
}

const DIGITAL_SIGNATURE = { octet: 0x80, unusedBits: 7 };
const CERT_AND_CRL_SIGN = { octet: 0x06, unusedBits: 1 };

/** A self-signed CA certificate in DER that may sign leaves and revocation lists. */
export function issueDevelopmentCa(input: IssueInput, sign: Sign): Promise<Bytes> {
  const name = nameOf(input.subject);
  return build(input, name, sign, [
    extension(OID.basicConstraints, sequence(new asn1js.Boolean({ value: true }), integer(0)), true),
    keyUsage(CERT_AND_CRL_SIGN),
    subjectKeyIdentifier(input.spki),
  ]);
}

/** A TLS server certificate in DER for these names. */
export function issueTlsServer(input: TlsServerInput, issuer: Issuer): Promise<Bytes> {
  const names = [
    ...input.dnsNames.map((name) => contextSpecific(2, Buffer.from(name, 'ascii'))),
    ...(input.ipAddresses ?? []).map((address) => contextSpecific(7, address)),
  ];
  return issueLeaf(input, issuer, OID.serverAuth, [extension(OID.subjectAltName, sequence(...names))]);
}

/** A TLS client certificate in DER. Its SHA-256 is what names a party, not its subject. */
export function issueTlsClient(input: IssueInput, issuer: Issuer): Promise<Bytes> {
  return issueLeaf(input, issuer, OID.clientAuth, []);
}

/** A TLS client certificate in DER that no CA vouches for: whoever it calls pins it. */
export function selfSignTlsClient(input: IssueInput, sign: Sign): Promise<Bytes> {
  return build(input, nameOf(input.subject), sign, [
    subjectKeyIdentifier(input.spki),
    keyUsage(DIGITAL_SIGNATURE),
    extension(OID.extendedKeyUsage, sequence(oid(OID.clientAuth)), true),
  ]);
}

/** A certification request (PKCS#10, RFC 2986) in DER for a TLS client certificate. */
export async function requestTlsClient(
  { subject, spki }: Pick<IssueInput, 'subject' | 'spki'>,
  sign: Sign,
): Promise<Bytes> {
  const extensions = sequence(
    keyUsage(DIGITAL_SIGNATURE),
    extension(OID.extendedKeyUsage, sequence(oid(OID.clientAuth)), true),
  );
  const attributes = sequence(oid(OID.extensionRequest), new asn1js.Set({ value: [extensions] }));
  const info = sequence(
    integer(0),
    nameOf(subject),
    raw(spki),
    new asn1js.Constructed({ idBlock: { tagClass: 3, tagNumber: 0 }, value: [attributes] }),
  );
  const signature = encodeEcdsaSignature(await sign(derOf(info)));
  return derOf(sequence(info, algorithm(), new asn1js.BitString({ valueHex: buffer(signature) })));
}

function issueLeaf(
  input: IssueInput,
  issuer: Issuer,
  purpose: string,
  more: readonly asn1js.Sequence[],
): Promise<Bytes> {
  const ca = decodeCertificate(issuer.certificate);
  return build(input, raw(ca.subject.raw), issuer.sign, [
    authorityKeyIdentifier(ca),
    subjectKeyIdentifier(input.spki),
    keyUsage(DIGITAL_SIGNATURE),
    extension(OID.extendedKeyUsage, sequence(oid(purpose)), true),
    ...more,
  ]);
}

async function build(
  input: IssueInput,
  issuerName: asn1js.BaseBlock,
  sign: Sign,
  extensions: readonly asn1js.Sequence[],
): Promise<Bytes> {
  const { serialNumber } = input;
  if (serialNumber.length < 1 || serialNumber.length > 19)
    throw new RangeError('a serial number is made of 1 to 19 random octets');
  const serial = BigInt(`0x01${Buffer.from(serialNumber).toString('hex')}`);
  const tbs = sequence(
    explicit(0, integer(2)),
    asn1js.Integer.fromBigInt(serial),
    algorithm(),
    issuerName,
    sequence(time(input.notBeforeMs), time(input.notAfterMs)),
    nameOf(input.subject),
    raw(input.spki),
    explicit(3, sequence(...extensions)),
  );
  const signature = encodeEcdsaSignature(await sign(derOf(tbs)));
  return derOf(sequence(tbs, algorithm(), new asn1js.BitString({ valueHex: buffer(signature) })));
}

function nameOf({ organizationName, commonName }: Subject): asn1js.Sequence {
  const attribute = (type: string, value: string): asn1js.Set =>
    new asn1js.Set({ value: [sequence(oid(type), new asn1js.Utf8String({ value }))] });
  return sequence(
    ...(organizationName === undefined ? [] : [attribute(OID.organizationName, organizationName)]),
    attribute(OID.commonName, commonName),
  );
}

function extension(id: string, value: asn1js.BaseBlock, critical = false): asn1js.Sequence {
  const content = new asn1js.OctetString({ valueHex: value.toBER() });
  return critical
    ? sequence(oid(id), new asn1js.Boolean({ value: true }), content)
    : sequence(oid(id), content);
}

function keyUsage({ octet, unusedBits }: { octet: number; unusedBits: number }): asn1js.Sequence {
  const bits = new asn1js.BitString({ valueHex: buffer(Buffer.of(octet)), unusedBits });
  return extension(OID.keyUsage, bits, true);
}

/** SHA-1 of the point, as GSMA identifies keys. */
function subjectKeyIdentifier(spki: Bytes): asn1js.Sequence {
  const keyId = createHash('sha1').update(fromSpki(spki).point).digest();
  return extension(OID.subjectKeyIdentifier, new asn1js.OctetString({ valueHex: buffer(keyId) }));
}

function authorityKeyIdentifier(ca: Certificate): asn1js.Sequence {
  const keyId =
    ca.extensions.subjectKeyIdentifier ??
    refuse('securityConfiguration', 'the issuing certificate has no SubjectKeyIdentifier');
  return extension(OID.authorityKeyIdentifier, sequence(contextSpecific(0, keyId)));
}

function algorithm(): asn1js.Sequence {
  return sequence(oid(OID.ecdsaWithSha256));
}

/** RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050. Whole seconds. */
function time(ms: number): asn1js.BaseBlock {
  const valueDate = new Date(Math.floor(ms / 1000) * 1000);
  return valueDate.getUTCFullYear() < 2050
    ? new asn1js.UTCTime({ valueDate })
    : new asn1js.GeneralizedTime({ valueDate });
}

const sequence = (...value: asn1js.BaseBlock[]): asn1js.Sequence => new asn1js.Sequence({ value });
const oid = (value: string): asn1js.ObjectIdentifier => new asn1js.ObjectIdentifier({ value });
const integer = (value: number): asn1js.Integer => new asn1js.Integer({ value });

function explicit(tagNumber: number, value: asn1js.BaseBlock): asn1js.Constructed {
  return new asn1js.Constructed({ idBlock: { tagClass: 3, tagNumber }, value: [value] });
}

function contextSpecific(tagNumber: number, value: Bytes): asn1js.Primitive {
  return new asn1js.Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex: buffer(value) });
}

/** An element that exists in DER already. */
function raw(der: Bytes): asn1js.BaseBlock {
  const { result, offset } = asn1js.fromBER(buffer(der));
  if (offset !== der.length) throw new RangeError('not one DER element');
  return result as asn1js.BaseBlock;
}

function buffer(bytes: Bytes): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

function derOf(block: asn1js.BaseBlock): Bytes {
  return new Uint8Array(block.toBER());
}
