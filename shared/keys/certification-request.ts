import { type Bytes, utf8 } from '../codec/bytes.ts';
import { encodeOid } from '../codec/oid.ts';
import { tlv } from '../codec/tlv.ts';
import { encodeEcdsaSignature } from '../crypto/ecdsa-signature.ts';
import { OID } from '../pki/oids.ts';
import { type RoleColumn, rolePolicy } from '../pki/roles.ts';
import { Digest } from './provider.ts';
import type { SigningKey } from './registry.ts';

export interface DpPbRequest {
  readonly organizationName: string;
  readonly commonName: string;
  /** The OID of this SM-DP+ as registered with the GSMA, dotted; DPauth and DPpb of a server carry the same. */
  readonly smdpOid: string;
  /** `v2` for Variant O, `v3` for Variants Ov3, A, B and C (SGP.22 section 4.5.2). */
  readonly column: RoleColumn;
}

/**
 * A certification request (PKCS#10, RFC 2986) in DER for CERT.DPpb.ECDSA, signed by the binding key through its
 * provider. It asks for what SGP.22 section 4.5.2.1 gives the certificate: keyUsage digitalSignature, the role
 * dp-pb in certificatePolicies and the OID as registeredID in SubjectAltName. Key identifiers, validity and
 * distribution points are the CA's to add.
 */
export async function dpPbCertificationRequest(key: SigningKey, request: DpPbRequest): Promise<Bytes> {
  const info = tlv(
    0x30,
    tlv(0x02, Buffer.of(0)),
    tlv(
      0x30,
      relativeName(OID.organizationName, request.organizationName),
      relativeName(OID.commonName, request.commonName),
    ),
    key.publicKey,
    tlv(0xa0, tlv(0x30, oid(OID.extensionRequest), tlv(0x31, extensions(request)))),
  );
  const signature = encodeEcdsaSignature(await key.sign(Digest.of(info)));
  return tlv(0x30, info, tlv(0x30, oid(OID.ecdsaWithSha256)), tlv(0x03, Buffer.of(0), signature));
}

function extensions({ smdpOid, column }: DpPbRequest): Bytes {
  // dp-pb stands in both columns
  const policy = rolePolicy('dpPb', column)!;
  return tlv(
    0x30,
    // digitalSignature is bit 0: seven bits unused
    extension(OID.keyUsage, true, tlv(0x03, Buffer.of(7, 0x80))),
    extension(OID.certificatePolicies, true, tlv(0x30, tlv(0x30, oid(policy)))),
    extension(OID.subjectAltName, false, tlv(0x30, tlv(0x88, encodeOid(smdpOid)))),
  );
}

function extension(id: string, critical: boolean, value: Bytes): Bytes {
  return tlv(0x30, oid(id), critical ? tlv(0x01, Buffer.of(0xff)) : undefined, tlv(0x04, value));
}

function relativeName(type: string, value: string): Bytes {
  return tlv(0x31, tlv(0x30, oid(type), tlv(0x0c, utf8(value))));
}

function oid(dotted: string): Bytes {
  return tlv(0x06, encodeOid(dotted));
}
