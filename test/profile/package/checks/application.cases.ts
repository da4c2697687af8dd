import { encodeOid } from '../../../../shared/codec/oid.ts';
import { tlv } from '../../../../shared/codec/tlv.ts';
import { elementsOf, instead, rebuilt, withBefore, without } from '../support/build.ts';
import * as good from '../support/good-packages.ts';
import { beforeEnd, type Case, METADATA, services } from './cases.ts';

const { own, raw, domain, rfm, withHeader } = good;

const APPLICATIONS: readonly Case[] = [
  ['sd-before-rfm', () => withBefore(own, 'securityDomain', 0, rfm(80, { tars: ['b00142'] }))],
  ['sd-before-application', () => withBefore(own, 'securityDomain', 0, good.application(80))],
  ['sd-aid-unique', () => beforeEnd(domain(80, { aid: 'A000000151000000' }))],
  ['sd-key-unique', () => beforeEnd(twoKeys())],
  ['sd-component-unique', () => beforeEnd(domain(80, { components: [0x88, 0x88] }))],
  ['sd-open-perso-mno', () => beforeEnd(domain(80, { more: [tlv(0xa4)] }))],
  [
    'sd-cat-tp-mno',
    () => beforeEnd(domain(80, { more: [tlv(0xa5, tlv(0x80, Buffer.of(9)), tlv(0x81, Buffer.of(9)))] })),
  ],
  [
    'mno-sd-not-extradited',
    () =>
      instead(
        own,
        'securityDomain',
        0,
        domain(14, { aid: 'A000000151000000', extraditedTo: 'A000000151000001' }),
      ),
  ],
  [
    'extradition-target-state',
    () => beforeEnd(domain(80, { state: 0x07 }), good.application(81, 'A00000015153504341')),
  ],
  [
    'rfm-after-adf',
    () =>
      rebuilt(own, ({ name, raw: octets }) =>
        name === 'rfm' || name === 'securityDomain'
          ? undefined
          : name === 'usim'
            ? [raw('securityDomain'), raw('rfm'), octets]
            : octets,
      ),
  ],
  ['rfm-adf-known', () => beforeEnd(rfm(80, { tars: ['b00142'], adf: 'A0000000871002FF34FF0789312E3099' }))],
  ['rfm-tar-list-filled', () => beforeEnd(rfm(80, { tars: [] }))],
  ['rfm-tar-reachable', () => beforeEnd(rfm(80, {}))],
  ['rfm-aid-tar-unique', () => beforeEnd(rfm(80, { tars: ['b00120'] }))],
  ['rfm-aid-tar-unique', () => beforeEnd(rfm(80, { aid: 'A00000055910100002', tars: ['b00142'] }))],
  ['service-known', () => services(0x81, 0x82, 0x84, 0x9f28)],
  ['service-has-subject', () => services(0x81, 0x82, 0x83, 0x84)],
  ['algorithm-service-used', () => services(0x81, 0x82, 0x84, 0x85)],
  ['algorithm-service-listed', () => services(0x81, 0x82)],
  ['template-listed', () => withHeader(own, 0xa6, tlv(0x06, encodeOid('2.23.143.1.2.1')))],
];

/** A security domain that has one key twice. */
function twoKeys(): Uint8Array {
  const [{ tag, fields }] = elementsOf(domain(80, { components: [0x88] })) as [
    ReturnType<typeof elementsOf>[number],
  ];
  return tlv(
    tag,
    ...fields.map((field) => (field.tag === 0xa2 ? tlv(0xa2, field.value, field.value) : field.raw)),
  );
}

const METADATA_CASES: readonly Case[] = [
  ['metadata-iccid', () => own, [], { ...METADATA, iccid: '8900101000000000002' }],
  ['metadata-name', () => own, [], { ...METADATA, profileName: '' }],
  ['metadata-test-key', () => own, [], { ...METADATA, profileClass: 'test' }],
  ['metadata-policy-rules', () => own, [], { ...METADATA, profilePolicyRules: ['ppr1'] }],
  [
    'metadata-owner-imsi',
    () => without(own, 'usim', 'opt-usim', 'df-5gs', 'df-saip'),
    ['aka-after-naa', 'rfm-adf-known', 'service-has-subject'],
    { ...METADATA, profileOwner: { mccMnc: '00101' } },
  ],
  ['metadata-owner', () => own, [], { ...METADATA, profileOwner: { mccMnc: '00102' } }],
  ['metadata-mnc-length', () => own, [], { ...METADATA, profileOwner: { mccMnc: '001010' } }],
];

export const APPLICATION_CASES: readonly Case[] = [...APPLICATIONS, ...METADATA_CASES];
