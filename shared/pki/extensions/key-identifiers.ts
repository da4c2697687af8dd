import type { Bytes } from '../../codec/bytes.ts';
import type { TlvReader } from '../../codec/tlv.ts';

const MAX_KEY_ID = 32;

/** SubjectKeyIdentifier (RFC 5280 section 4.2.1.2). GSMA: SHA-1 of the uncompressed point, 20 octets. */
export function decodeSubjectKeyIdentifier(reader: TlvReader): Bytes {
  return reader.octets(0x04, 'subjectKeyIdentifier', 1, MAX_KEY_ID);
}

/**
 * AuthorityKeyIdentifier (RFC 5280 section 4.2.1.1): its keyIdentifier, which is all that GSMA chains link by.
 * Issuer name and serial number in it are read over: the two SGP.26 test CIs share both.
 */
export function decodeAuthorityKeyIdentifier(reader: TlvReader): Bytes | undefined {
  const identifier = reader.enter(0x30, 'authorityKeyIdentifier');
  const present = identifier.peek()?.tag === 0x80;
  const keyIdentifier = present ? identifier.octets(0x80, 'keyIdentifier', 1, MAX_KEY_ID) : undefined;
  identifier.optional(0xa1);
  identifier.optional(0x82);
  identifier.end();
  return keyIdentifier;
}
