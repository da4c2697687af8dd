import { toHex } from '../../../shared/codec/bytes.ts';
import { type Tlv, TlvReader } from '../../../shared/codec/tlv.ts';
import { IOT_MINIMAL_CAPABILITY_BIT, SERVICES } from '../../../shared/profile/package/services.ts';
import { decodeEuiccInfo2, RSP_CAPABILITY } from '../../../shared/rsp/euicc-info2.ts';
import { PROFILE_POLICY_RULES } from '../../../shared/rsp/profile-policy-rules.ts';
import { type Field, leaf, listOf, type Shape, showElement, tree, valueOffset } from '../shape.ts';
import { tlvDescriber, unknownField } from '../tlv-describer.ts';
import { bits, integer, text, unsigned, version } from '../values.ts';

function uiccCapabilityName(bit: number): string | undefined {
  if (bit === IOT_MINIMAL_CAPABILITY_BIT) return 'iot-minimal';
  return SERVICES.find(({ capabilityBit }) => capabilityBit === bit)?.name;
}

function rspCapabilityName(bit: number): string | undefined {
  return Object.entries(RSP_CAPABILITY).find(([, number]) => number === bit)?.[0];
}

const keyIds = (name: string): Shape => listOf(name, leaf('ciPkId', toHex));

/** ETSI TS 102 226 section 8.2.1.7.2: the OCTET STRING holds three TLVs. */
const EXT_CARD_RESOURCE: ReadonlyMap<number, string> = new Map([
  [0x81, 'numberOfInstalledApplications'],
  [0x82, 'freeNonVolatileMemory'],
  [0x83, 'freeVolatileMemory'],
]);

function extCardResource(element: Tlv): readonly Field[] {
  const reader = new TlvReader(element.value, '84', valueOffset(element));
  const found: Field[] = [];
  while (!reader.done) {
    const part = reader.next();
    found.push(showElement(part, leaf(EXT_CARD_RESOURCE.get(part.tag) ?? 'unknown', unsigned), '84'));
  }
  return found;
}

/** EUICCInfo2 (SGP.22 section 5.7.8 and annex H); readers of v3 meet fields in other orders. */
export const EUICC_INFO2_SHAPE: Shape = {
  name: 'euiccInfo2',
  unordered: true,
  parts: [
    [0x81, leaf('profileVersion', version)],
    [0x82, leaf('svn', version)],
    [0x83, leaf('euiccFirmwareVer', version)],
    [0x84, { ...leaf('extCardResource'), more: extCardResource }],
    [0x85, leaf('uiccCapability', bits('uiccCapability', uiccCapabilityName))],
    [0x86, leaf('ts102241Version', version)],
    [0x87, leaf('globalplatformVersion', version)],
    [0x88, leaf('rspCapability', bits('rspCapability', rspCapabilityName))],
    [0xa9, keyIds('euiccCiPKIdListForVerification')],
    [0xaa, keyIds('euiccCiPKIdListForSigning')],
    [0x8b, leaf('euiccCategory', integer)],
    [
      0x99,
      leaf(
        'forbiddenProfilePolicyRules',
        bits('rules', (bit) => PROFILE_POLICY_RULES[bit]),
      ),
    ],
    [0x04, leaf('ppVersion', version)],
    [0x0c, leaf('sasAcreditationNumber', text)],
    [
      0xac,
      tree('certificationDataObject', [
        [0x80, leaf('platformLabel', text)],
        [0x81, leaf('discoveryBaseURL', text)],
      ]),
    ],
    [
      0x8d,
      leaf(
        'treProperties',
        bits('treProperties', () => undefined),
      ),
    ],
    [0x8e, leaf('treProductReference', text)],
    [0xaf, listOf('additionalProfilePackageVersions', leaf('version', version))],
    [0x90, leaf('lpaMode', integer)],
    [0xb1, keyIds('euiccCiPKIdListForSigningV3')],
    [0x92, leaf('additionalEuiccInfo')],
    [0x93, leaf('highestSvn', version)],
  ],
};

export const euiccInfo2 = tlvDescriber({
  kind: 'euiccInfo2',
  title: 'EuiccInfo2 (BF22)',
  tag: 0xbf22,
  shape: EUICC_INFO2_SHAPE,
  check(octets) {
    const { unknown } = decodeEuiccInfo2(octets);
    return unknown.map(unknownField);
  },
});
