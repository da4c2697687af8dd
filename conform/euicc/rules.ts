import { DOCUMENT, type Rules } from '../rules.ts';

const sgp22 = (section: string) => ({ document: DOCUMENT.sgp22, section });
const draft = { document: DOCUMENT.draft, section: 'What is ours: LoadPackage' };

/** What an eUICC answers and does is held against these. */
export const EUICC_RULES = {
  'euicc.pir.der': {
    says: 'the result is one DER element BF37 with BF27 and 5F37 inside',
    ...sgp22('2.5.6'),
    wayOut: 'Write ProfileInstallationResult with its data and the signature behind, and nothing more.',
  },
  'euicc.pir.data': {
    says: 'BF27 has transactionId, notificationMetadata, smdpOid and finalResult, in that order',
    ...sgp22('2.5.6'),
    wayOut: 'Compare with a result of the soft eUICC field by field; smdpf inspect shows both.',
  },
  'euicc.pir.signature-form': {
    says: 'the signature is raw r ‖ s of 64 octets',
    ...sgp22('2.6.7.2'),
    wayOut: 'Take r and s out of the DER ECDSA-Sig-Value, each padded with zeros to 32 octets.',
  },
  'euicc.pir.signature': {
    says: 'the signature is by SK.EUICC over the whole BF27, tag and length included',
    ...sgp22('2.5.6'),
    wayOut: 'Sign exactly the octets that are expected.',
  },
  'euicc.pir.smdp-oid': {
    says: 'smdpOid is the registeredID in subjectAltName of CERT.DPpb',
    ...sgp22('2.5.6'),
    wayOut: 'Take the OID from the certificate that smdpSign was verified with.',
  },
  'euicc.load.installs': {
    says: 'a right BPP is installed, and finalResult is success with the AID of the ISD-P',
    ...sgp22('5.5'),
    wayOut: 'bppCommandId of the result says in which command the eUICC stopped.',
  },
  'euicc.load.transaction': {
    says: 'the result names the transactionId of the BPP and the ICCID of the profile',
    ...sgp22('2.5.6'),
    wayOut: 'Repeat the transactionId of BF23, and in notificationMetadata the ICCID of StoreMetadata.',
  },
  'euicc.load.repeat': {
    says: 'the same BPP again is answered with the same result, and installs nothing',
    ...draft,
    wayOut: 'Keep the result until it is removed, and answer a LoadPackage of its transaction with it.',
  },
  'euicc.load.bad-signature': {
    says: 'a BPP whose smdpSign does not hold is refused with invalidSignature (2), and spends no key',
    ...sgp22('5.5.1'),
    wayOut:
      'Verify smdpSign before anything is done with the one-time key; the right BPP still has to install.',
  },
  'euicc.load.bad-mac': {
    says: 'a BPP with a changed protected segment is refused with bspSecurityError (8)',
    ...sgp22('2.6.4'),
    wayOut: 'Verify the C-MAC of each segment before it is decrypted.',
  },
  'euicc.load.used-key': {
    says: 'a key that has installed a profile takes no second one',
    document: DOCUMENT.sgp41,
    section: 'EUICCF03',
    wayOut: 'Erase the key in the same write that stores the result.',
  },
} as const satisfies Rules;

export type EuiccRule = keyof typeof EUICC_RULES;
