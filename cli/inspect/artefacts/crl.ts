import { toHex } from '../../../shared/codec/bytes.ts';
import { decodeCrl } from '../../../shared/pki/crl.ts';
import { leaf, listOf, type Shape, tree } from '../shape.ts';
import { tlvDescriber } from '../tlv-describer.ts';
import { integer, time } from '../values.ts';
import { algorithm, bitString, distinguishedName, TIME_TAGS } from './certificate.ts';
import { EXTENSION_SHAPE } from './extension.ts';
import { firstElements, startsAsSequenceOf } from './sequence.ts';

/** CertificateList (RFC 5280 section 5.1). */
const SHAPE: Shape = tree('certificateList', [
  [
    0x30,
    tree('tbsCertList', [
      [0x02, leaf('version', (value) => `v${Number(integer(value)) + 1}`)],
      [0x30, algorithm('signature')],
      [0x30, distinguishedName('issuer')],
      [TIME_TAGS, leaf('thisUpdate', time)],
      [TIME_TAGS, leaf('nextUpdate', time)],
      [
        0x30,
        listOf(
          'revokedCertificates',
          tree('revokedCertificate', [
            [0x02, leaf('userCertificate', toHex)],
            [TIME_TAGS, leaf('revocationDate', time)],
            [0x30, listOf('crlEntryExtensions', EXTENSION_SHAPE)],
          ]),
        ),
      ],
      [0xa0, tree('crlExtensions', [[0x30, listOf('crlExtensions', EXTENSION_SHAPE)]])],
    ]),
  ],
  [0x30, algorithm('signatureAlgorithm')],
  [0x03, bitString('signatureValue')],
]);

export const crl = tlvDescriber({
  kind: 'crl',
  title: 'Certificate revocation list',
  tag: 0x30,
  // a CRL has its version first as a request has, but an AlgorithmIdentifier after it
  matches: (octets) => {
    if (!startsAsSequenceOf(octets, 0x30, 0x02)) return false;
    const [tbs] = firstElements(octets, 1);
    return tbs === undefined || firstElements(tbs.raw, 2)[1]?.value[0] === 0x06;
  },
  shape: SHAPE,
  check(octets) {
    const { revoked } = decodeCrl(octets);
    return [{ severity: 'note', message: `${revoked.size} revoked certificates` }];
  },
});
