import { NOTIFICATION_EVENTS } from '../../../shared/rsp/notification-event.ts';
import { decodeMccMnc } from '../../../shared/rsp/operator-id.ts';
import { PROFILE_POLICY_RULES } from '../../../shared/rsp/profile-policy-rules.ts';
import {
  decodeStoreMetadata,
  fieldsBeyondSgp22,
  ICON_TYPES,
  PROFILE_CLASSES,
} from '../../../shared/rsp/store-metadata.ts';
import { leaf, listOf, type Shape, tree } from '../shape.ts';
import { tlvDescriber } from '../tlv-describer.ts';
import { bits, counted, iccid, integer, named, oid, text } from '../values.ts';

/** StoreMetadataRequest (SGP.22 section 5.5.3). */
export const STORE_METADATA_SHAPE: Shape = tree('storeMetadataRequest', [
  [0x5a, leaf('iccid', iccid)],
  [0x91, leaf('serviceProviderName', text)],
  [0x92, leaf('profileName', text)],
  [
    0x93,
    leaf(
      'iconType',
      named((value) => ICON_TYPES[value]),
    ),
  ],
  [0x94, leaf('icon', counted('image'))],
  [
    0x95,
    leaf(
      'profileClass',
      named((value) => PROFILE_CLASSES[value]),
    ),
  ],
  [
    0xb6,
    listOf(
      'notificationConfigurationInfo',
      tree('notificationConfigurationInformation', [
        [
          0x80,
          leaf(
            'profileManagementOperation',
            bits('events', (bit) => NOTIFICATION_EVENTS[bit]),
          ),
        ],
        [0x81, leaf('notificationAddress', text)],
      ]),
    ),
  ],
  [
    0xb7,
    tree('profileOwner', [
      [0x80, leaf('mccMnc', decodeMccMnc)],
      [0x81, leaf('gid1')],
      [0x82, leaf('gid2')],
    ]),
  ],
  [
    0x99,
    leaf(
      'profilePolicyRules',
      bits('rules', (bit) => PROFILE_POLICY_RULES[bit]),
    ),
  ],
  [0xbf22, leaf('serviceSpecificDataStoredInEuicc')],
  [0xbf23, leaf('serviceSpecificDataNotStoredInEuicc')],
  [0xba, leaf('rpmConfiguration')],
  [0x9b, leaf('hriServerAddress', text)],
  [0xbc, leaf('lprConfiguration')],
  [
    0xbd,
    tree('enterpriseConfiguration', [
      [0x80, leaf('enterpriseOid', oid)],
      [0x81, leaf('enterpriseName', text)],
      [
        0xa2,
        tree('enterpriseRules', [
          [
            0x80,
            leaf(
              'enterpriseRuleBits',
              bits('rules', () => undefined),
            ),
          ],
          [0x81, leaf('numberOfNonEnterpriseProfiles', integer)],
        ]),
      ],
    ]),
  ],
  [0xbe, leaf('serviceProviderMessage')],
  [0x9f1f, leaf('serviceDescription')],
  [0xbf20, leaf('deviceChangeConfiguration')],
  [0xbf76, leaf('carrierPrivilegeRules')],
]);

export const storeMetadata = tlvDescriber({
  kind: 'storeMetadataRequest',
  title: 'StoreMetadataRequest (BF25)',
  tag: 0xbf25,
  shape: STORE_METADATA_SHAPE,
  check(octets) {
    return fieldsBeyondSgp22(decodeStoreMetadata(octets)).map((field) => ({
      severity: 'note',
      message: `${field}: no version of SGP.22 has this field; an eUICC may answer unknownTlvInMetadata (26)`,
    }));
  },
});
