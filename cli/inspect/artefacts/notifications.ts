import { bppCommandName, errorReasonName, isTemporary } from '../../../shared/rsp/installation-error.ts';
import { NOTIFICATION_EVENTS } from '../../../shared/rsp/notification-event.ts';
import { decodeOtherSignedNotification } from '../../../shared/rsp/other-signed-notification.ts';
import { decodeProfileInstallationResult } from '../../../shared/rsp/profile-installation-result.ts';
import { describeSimaResponse } from '../final-result.ts';
import { leaf, type Shape, tree } from '../shape.ts';
import { tlvDescriber, unknownField } from '../tlv-describer.ts';
import { bits, iccid, id16, integer, named, octetsOf, oid, signature, text } from '../values.ts';
import { CERTIFICATE_SHAPE } from './certificate.ts';
import { startsAsSequenceOf } from './sequence.ts';

const NOTIFICATION_METADATA_SHAPE: Shape = tree('notificationMetadata', [
  [0x80, leaf('seqNumber', integer)],
  [
    0x81,
    leaf(
      'profileManagementOperation',
      bits('events', (bit) => NOTIFICATION_EVENTS[bit]),
    ),
  ],
  [0x0c, leaf('notificationAddress', text)],
  [0x5a, leaf('iccid', iccid)],
]);

const simaResponse = leaf('simaResponse', (value) => describeSimaResponse(value).join('; '));

/** ProfileInstallationResult (SGP.22 section 2.5.6 and annex H). */
export const PROFILE_INSTALLATION_RESULT_SHAPE: Shape = tree('profileInstallationResult', [
  [
    0xbf27,
    tree('profileInstallationResultData', [
      [0x80, leaf('transactionId', id16)],
      [0xbf2f, NOTIFICATION_METADATA_SHAPE],
      [0x06, leaf('smdpOid', oid)],
      [
        0xa2,
        tree('finalResult', [
          [
            0xa0,
            tree('successResult', [
              [0x4f, leaf('aid', octetsOf(5, 16))],
              [0x04, simaResponse],
            ]),
          ],
          [
            0xa1,
            tree('errorResult', [
              [
                0x80,
                leaf(
                  'bppCommandId',
                  named((value) => bppCommandName(value)),
                ),
              ],
              [
                0x81,
                leaf(
                  'errorReason',
                  named(
                    (value) => `${errorReasonName(value)}, ${isTemporary(value) ? 'temporary' : 'permanent'}`,
                  ),
                ),
              ],
              [0x82, simaResponse],
            ]),
          ],
        ]),
      ],
    ]),
  ],
  [0x5f37, leaf('euiccSignPIR', signature)],
]);

export const profileInstallationResult = tlvDescriber({
  kind: 'profileInstallationResult',
  title: 'Profile Installation Result (BF37)',
  tag: 0xbf37,
  shape: PROFILE_INSTALLATION_RESULT_SHAPE,
  check(octets) {
    const { unknown } = decodeProfileInstallationResult(octets);
    return [
      ...unknown.map(unknownField),
      { severity: 'note', message: 'smdpf verify-pir verifies the signature against CERT.EUICC' },
    ];
  },
});

/** OtherSignedNotification (SGP.22 annex H). */
export const OTHER_SIGNED_NOTIFICATION_SHAPE: Shape = tree('otherSignedNotification', [
  [0xbf2f, { ...NOTIFICATION_METADATA_SHAPE, name: 'tbsOtherNotification' }],
  [0x5f37, leaf('euiccNotificationSignature', signature)],
  [0x30, { ...CERTIFICATE_SHAPE, name: 'euiccCertificate' }],
  [0x30, { ...CERTIFICATE_SHAPE, name: 'eumCertificate' }],
]);

export const otherSignedNotification = tlvDescriber({
  kind: 'otherSignedNotification',
  title: 'OtherSignedNotification',
  tag: 0x30,
  matches: (octets) => startsAsSequenceOf(octets, 0xbf2f),
  shape: OTHER_SIGNED_NOTIFICATION_SHAPE,
  check(octets) {
    return decodeOtherSignedNotification(octets).unknown.map(unknownField);
  },
});
