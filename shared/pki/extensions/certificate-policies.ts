import { TlvReader } from '../../codec/tlv.ts';
import { readOid } from '../oids.ts';

/** CertificatePolicies (RFC 5280 section 4.2.1.4) as dotted identifiers. Qualifiers are for people, not read. */
export function decodeCertificatePolicies(reader: TlvReader): string[] {
  const element = reader.expect(0x30, 'certificatePolicies');
  const list = TlvReader.of(element, reader.path);
  const policies: string[] = [];
  do {
    const information = list.enter(0x30, 'PolicyInformation');
    const policy = readOid(information.expect(0x06, 'policyIdentifier'));
    information.optional(0x30);
    information.end();
    if (policies.includes(policy)) reader.refuse(element, `policy ${policy} occurs twice`);
    policies.push(policy);
  } while (!list.done);
  return policies;
}
