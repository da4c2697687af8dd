import type { TlvReader } from '../../codec/tlv.ts';
import { readGeneralNames } from './general-name.ts';

/** SubjectAltName (RFC 5280 section 4.2.1.6): GSMA puts the owner's OID in it, TLS certificates their host too. */
export interface SubjectAltName {
  readonly registeredIds: readonly string[];
  readonly dnsNames: readonly string[];
}

export function decodeSubjectAltName(reader: TlvReader): SubjectAltName {
  const registeredIds: string[] = [];
  const dnsNames: string[] = [];
  for (const name of readGeneralNames(reader.enter(0x30, 'subjectAltName'))) {
    if (name.form === 'registeredID') registeredIds.push(name.text);
    if (name.form === 'dNSName') dnsNames.push(name.text);
  }
  return { registeredIds, dnsNames };
}
