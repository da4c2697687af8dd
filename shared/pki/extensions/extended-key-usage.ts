import type { TlvReader } from '../../codec/tlv.ts';
import { readOid } from '../oids.ts';

/** ExtendedKeyUsage (RFC 5280 section 4.2.1.12) as dotted identifiers; only TLS certificates of GSMA carry it. */
export function decodeExtendedKeyUsage(reader: TlvReader): string[] {
  const list = reader.enter(0x30, 'extendedKeyUsage');
  const purposes: string[] = [];
  do purposes.push(readOid(list.expect(0x06, 'KeyPurposeId')));
  while (!list.done);
  return purposes;
}
