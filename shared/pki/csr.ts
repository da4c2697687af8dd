import type { Bytes } from '../codec/bytes.ts';
import { TlvReader } from '../codec/tlv.ts';
import type { PublicKey } from '../crypto/curves.ts';
import { splitSpki } from '../crypto/ec-key-forms.ts';
import { decodeEcdsaSignature } from '../crypto/ecdsa-signature.ts';
import { Refusal, refuse } from '../errors.ts';
import { MAX_CERTIFICATE, readSignatureAlgorithm } from './certificate.ts';
import { readOctetAlignedBits } from './der.ts';
import { decodeExtensions, type Extensions } from './extensions/index.ts';
import { type Name, readName } from './name.ts';
import { OID, readOid } from './oids.ts';

/** A certification request (PKCS#10, RFC 2986) whose owner proved to have the private key. */
export interface CertificationRequest {
  readonly subject: Name;
  /** SubjectPublicKeyInfo as received. */
  readonly spki: Bytes;
  readonly publicKey: PublicKey;
  /** What its extensionRequest attribute asks for (RFC 2985 section 5.4.2). */
  readonly extensions: Extensions;
}

/**
 * Decodes a DER request and verifies its signature over the octets as received. Refuses bad form as
 * `protocolFormat`, unsupported keys and a signature that does not hold as `securityConfiguration`.
 */
export function verifyCertificationRequest(der: Bytes): CertificationRequest {
  if (der.length > MAX_CERTIFICATE)
    refuse('tooLarge', `a certification request has at most ${MAX_CERTIFICATE} octets, not ${der.length}`);
  const outer = new TlvReader(der);
  const request = outer.enter(0x30, 'CertificationRequest');
  outer.end();

  const infoElement = request.expect(0x30, 'certificationRequestInfo');
  const info = TlvReader.of(infoElement, request.path);
  if (info.integer(0x02, 'version') !== 0) refuse('protocolFormat', 'only version 1 requests exist');
  const subject = readName(info, 'subject');
  const spki = info.expect(0x30, 'subjectPKInfo').raw;
  const publicKey = publicKeyOf(spki);
  const extensions = requestedExtensions(info.enter(0xa0, 'attributes'));
  info.end();

  readSignatureAlgorithm(request, 'securityConfiguration');
  const signature = decodeEcdsaSignature(publicKey.curve, readOctetAlignedBits(request, 'signature'));
  request.end();
  if (!publicKey.curve.signatureHolds(publicKey, infoElement.raw, signature))
    refuse('securityConfiguration', 'the request is not signed by the key that it is for');
  return { subject, spki, publicKey, extensions };
}

function publicKeyOf(spki: Bytes): PublicKey {
  const { curve, point } = splitSpki(spki, 'securityConfiguration');
  try {
    return curve.publicKey(point);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
    return refuse('securityConfiguration', 'the public key of the request is not a point of its curve', {
      cause,
    });
  }
}

/** Of the attributes only extensionRequest, at most once; a challenge password or the like is no use here. */
function requestedExtensions(attributes: TlvReader): Extensions {
  let found: Extensions | undefined;
  while (!attributes.done) {
    const attribute = attributes.enter(0x30, 'Attribute');
    const type = attribute.expect(0x06, 'type');
    if (readOid(type) !== OID.extensionRequest || found !== undefined)
      attribute.refuse(type, 'only one extensionRequest is supported');
    const values = attribute.enter(0x31, 'values');
    found = decodeExtensions(values.enter(0x30, 'Extensions')).extensions;
    values.end();
    attribute.end();
  }
  return found ?? {};
}
