import { DOCUMENT, type Rules } from '../rules.ts';

const asn1 = (section: string) => ({ document: DOCUMENT.asn1, section });
const implementers = { document: DOCUMENT.draft, section: 'For implementers' };
const sgp22 = (section: string) => ({ document: DOCUMENT.sgp22, section });

/** What an EUM hands over (FF60) is held against these. */
export const EUM_RULES = {
  'eum.batch.der': {
    says: 'the batch is one DER element FF60 with nothing behind it',
    document: DOCUMENT.x690,
    section: '10.1',
    wayOut: 'Write each length in its shortest definite form, and nothing behind the last octet of FF60.',
  },
  'eum.batch.fields': {
    says: 'the fields of the batch are there, in their order, with their tags and lengths',
    ...asn1('EuiccDataBatch'),
    wayOut: 'Compare with FF60 of the golden vectors field by field; smdpf inspect shows both.',
  },
  'eum.batch.makers': {
    says: 'deviceManufacturers is present and names at least one',
    ...asn1('EuiccDataBatch, deviceManufacturers'),
    wayOut:
      'Name who may bind these eUICCs in field 7. Only a batch that a device manufacturer forwards may be without.',
  },
  'eum.chain.ci': {
    says: 'ciPkId is the subjectKeyIdentifier of the CI above the chain',
    ...asn1('EuiccDataBatch, ciPkId'),
    wayOut: 'Take the 20 octets of subjectKeyIdentifier of the root, not those of the EUM certificate.',
  },
  'eum.chain.order': {
    says: 'eumChain starts with the issuer of the eUICCs, and each certificate is issued by the next one, the last by the CI',
    ...sgp22('4.5.2.2'),
    wayOut: 'Put the issuer of the eUICCs first and leave out the root.',
  },
  'eum.chain.roles': {
    says: 'certificatePolicies of the chain are those of an EUM',
    ...sgp22('4.5.2.1'),
    wayOut:
      'Have the certificate issued with the role of an EUM (2.23.146.1.2.1.2, or 0.0.0 in variants of v3).',
  },
  'eum.chain.validity': {
    says: 'no certificate of the chain is outside its validity',
    document: DOCUMENT.rfc5280,
    section: '4.1.2.5',
    wayOut: 'Send the certificate that is valid now.',
  },
  'eum.suite': {
    says: 'curve names a suite on the curve of the chain',
    document: DOCUMENT.draft,
    section: 'Suites',
    wayOut: 'Take the OID of the table of suites; certificates, proofs and one-time keys share one curve.',
  },
  'eum.info2.tag': {
    says: 'euiccInfo2 is a whole EUICCInfo2, tag BF22 and length included',
    ...sgp22('5.7.8'),
    wayOut: 'Put the element as the eUICC answered it into the OCTET STRING, from BF22 on.',
  },
  'eum.info2.ci': {
    says: 'euiccCiPKIdListForSigning of EuiccInfo2 has ciPkId',
    ...sgp22('5.7.8'),
    wayOut: 'Send the EuiccInfo2 of these eUICCs: their certificates come from a CI that it does not list.',
  },
  'eum.entry.fields': {
    says: 'the fields of an entry are there, in their order, with their tags and lengths',
    ...asn1('EuiccEntry, OneTimeKey'),
    wayOut: 'Compare with an entry of the golden vectors; smdpf inspect shows where it stops to be one.',
  },
  'eum.entry.eid': {
    says: 'the EID is 32 digits whose check digits hold, and occurs once',
    document: DOCUMENT.sgp29,
    section: '3',
    wayOut: 'Write the digits with the high nibble first, and compute the last two by ISO 7064 mod 97-10.',
  },
  'eum.cert.issued': {
    says: 'the certificate of the eUICC is issued by the first certificate of eumChain',
    ...sgp22('4.5.2.2'),
    wayOut: 'Send the certificate of the CA that signed CERT.EUICC as the first of eumChain.',
  },
  'eum.cert.role': {
    says: 'the certificate has the role of an eUICC, for digitalSignature',
    ...sgp22('4.5.2.1'),
    wayOut:
      'Issue it with policy 2.23.146.1.2.1.1 (0.0.0.0.0 in variants of v3) and keyUsage digitalSignature.',
  },
  'eum.cert.eid': {
    says: 'serialNumber of the subject is the EID of the entry',
    ...sgp22('4.5.2.1.0.2'),
    wayOut: 'Put the certificate beside the EID that it was issued for.',
  },
  'eum.cert.range': {
    says: 'the EID and the subject are inside the limits of the EUM certificate',
    ...sgp22('4.5.2.1.0.2'),
    wayOut: 'Issue EIDs under the IIN of nameConstraints, with the organizationName that it permits.',
  },
  'eum.key.identifier': {
    says: 'a keyId has 1 to 16 octets and names one key of its eUICC',
    ...asn1('OneTimeKey, keyId'),
    wayOut: 'Number the keys of an eUICC, and never use a number again.',
  },
  'eum.key.octets': {
    says: 'otPk is a one-time key of the suite, as a point 04 ‖ X ‖ Y on its curve',
    document: DOCUMENT.draft,
    section: 'Suites',
    wayOut: 'Write the point uncompressed: 65 octets, without SubjectPublicKeyInfo around them.',
  },
  'eum.key.own': {
    says: 'each one-time key is a key of its own: not that of the certificate, and in the batch once',
    document: DOCUMENT.sgp41,
    section: 'GENS07',
    wayOut: 'Let each eUICC generate its keys; one that two have is no one-time key.',
  },
  'eum.proof.form': {
    says: 'a proof is raw r ‖ s of 64 octets',
    ...implementers,
    wayOut: 'Take r and s out of the DER ECDSA-Sig-Value, each padded with zeros to 32 octets.',
  },
  'eum.proof.signs': {
    says: 'a proof is by SK.EUICC over the whole OneTimeKeyTbs, FF64 and length included, hashed once with SHA-256',
    ...implementers,
    wayOut:
      'Sign exactly the octets that are expected; the golden vectors have them with their key and signature.',
  },
  'eum.signature.form': {
    says: 'eumDataSignature is raw r ‖ s of 64 octets',
    ...implementers,
    wayOut: 'Take r and s out of the DER ECDSA-Sig-Value, each padded with zeros to 32 octets.',
  },
  'eum.signature.signs': {
    says: 'eumDataSignature is by the registered data key over the encoded fields 0 to 7, without FF60 and its length',
    ...implementers,
    wayOut: 'Sign exactly the octets that are expected, with the data key and not with the CA key.',
  },
} as const satisfies Rules;

export type EumRule = keyof typeof EUM_RULES;
