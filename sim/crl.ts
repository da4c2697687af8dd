import { type Bytes, equal, toHex } from '../shared/codec/bytes.ts';
import {
  authorityKeyIdentifier,
  type Certificate,
  checkAlgorithm,
  hasKeyUsage,
  parseExtensions,
  subjectKeyIdentifier,
} from './certificate.ts';
import { decodeTime } from './coding.ts';
import { derToRaw, verify } from './curve.ts';
import { Fields, readAll, readOnly, SimError } from './tlv.ts';

/**
 * Hexadecimal serial numbers that a CRL revokes, after its signature verified under one of `issuers` with cRLSign.
 * `now`, where the reader has a clock, must be before nextUpdate.
 */
export function revokedSerials(der: Bytes, issuers: readonly Certificate[], now?: Date): string[] {
  const outer = new Fields(readOnly(der, 0x30).value);
  const tbs = outer.take(0x30);
  checkAlgorithm(outer.take(0x30).value);
  const signature = derToRaw(outer.take(0x03).value.subarray(1));
  outer.end();
  const fields = new Fields(tbs.value);
  fields.take(0x02);
  checkAlgorithm(fields.take(0x30).value);
  const issuerName = fields.take(0x30).raw;
  fields.any();
  const nextUpdate = decodeTime(fields.any().value);
  const revoked = fields.maybe(0x30);
  const authority = authorityKeyIdentifier(parseExtensions(readOnly(fields.take(0xa0).value, 0x30).value));
  fields.end();
  const issuer = issuers.find(
    (ci) =>
      authority !== undefined && equal(subjectKeyIdentifier(ci), authority) && equal(ci.subject, issuerName),
  );
  if (issuer === undefined || !hasKeyUsage(issuer, 6))
    throw new SimError('the CRL is not from a known issuer');
  if (!verify(issuer.publicKey, tbs.raw, signature)) throw new SimError('the CRL signature is wrong');
  if (now !== undefined && now >= nextUpdate) throw new SimError('the CRL is out of date');
  return readAll(revoked?.value ?? new Uint8Array()).map(({ value }) =>
    toHex(new Fields(value).take(0x02).value),
  );
}
