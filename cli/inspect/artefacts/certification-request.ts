import { verifyCertificationRequest } from '../../../shared/pki/csr.ts';
import { leaf, type Shape, tree } from '../shape.ts';
import { tlvDescriber } from '../tlv-describer.ts';
import { integer, oid } from '../values.ts';
import { algorithm, bitString, distinguishedName, SUBJECT_PUBLIC_KEY_INFO_SHAPE } from './certificate.ts';
import { startsAsSequenceOf } from './sequence.ts';

/** CertificationRequest (RFC 2986). */
const SHAPE: Shape = tree('certificationRequest', [
  [
    0x30,
    tree('certificationRequestInfo', [
      [0x02, leaf('version', (value) => `v${Number(integer(value)) + 1}`)],
      [0x30, distinguishedName('subject')],
      [0x30, SUBJECT_PUBLIC_KEY_INFO_SHAPE],
      [0xa0, tree('attributes', [[0x30, tree('attribute', [[0x06, leaf('type', oid)]])]])],
    ]),
  ],
  [0x30, algorithm('signatureAlgorithm')],
  [0x03, bitString('signature')],
]);

export const certificationRequest = tlvDescriber({
  kind: 'certificationRequest',
  title: 'Certification request (PKCS#10)',
  tag: 0x30,
  matches: (octets) => startsAsSequenceOf(octets, 0x30, 0x02),
  shape: SHAPE,
  check(octets) {
    verifyCertificationRequest(octets);
    return [{ severity: 'note', message: 'it is signed by its own key' }];
  },
});
