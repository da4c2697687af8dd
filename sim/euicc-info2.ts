import type { Bytes } from '../shared/codec/bytes.ts';
import { SimError, tlv } from './tlv.ts';

/** Bits of UICCCapability (SGP.22 §5.7.8) in their order, by the service names of the profile package. */
const UICC_CAPABILITY = [
  'contactless',
  'usim',
  'isim',
  'csim',
  'milenage',
  'cave',
  'tuak128',
  'tuak256',
  'usim-test-algorithm',
  'rfu9',
  'gba-usim',
  'gba-isim',
  'mbms',
  'eap',
  'javacard',
  'multos',
  'multiple-usim',
  'multiple-isim',
  'multiple-csim',
  'ber-tlv',
  'dfLink',
  'cat-tp',
  'get-identity',
  'profile-a-x25519',
  'profile-b-p256',
  'suciCalculatorApi',
  'dns-resolution',
  'scp11ac',
  'scp11c',
  's16mode',
  'eaka',
] as const;
export type UiccCapability = (typeof UICC_CAPABILITY)[number];

/** What an eUICC of this simulator can do. Versions are dotted, memory is in octets. */
export interface EuiccFeatures {
  readonly profileVersion: string;
  readonly svn: string;
  readonly firmwareVersion: string;
  readonly freeNonVolatileMemory: number;
  readonly freeVolatileMemory: number;
  readonly uiccCapability: readonly UiccCapability[];
  /** Bits of rspCapability: 0 additionalProfile, 1 CRL, 2 RPM, 3 testProfile. */
  readonly rspCapability: readonly number[];
  /** Bits of forbiddenProfilePolicyRules: 1 PPR1, 2 PPR2. */
  readonly forbiddenProfilePolicyRules: readonly number[];
  readonly sasAcreditationNumber: string;
}

export const DEFAULT_FEATURES: EuiccFeatures = {
  profileVersion: '3.3.1',
  svn: '2.5.0',
  firmwareVersion: '1.0.0',
  freeNonVolatileMemory: 512 * 1024,
  freeVolatileMemory: 8 * 1024,
  uiccCapability: UICC_CAPABILITY.filter((name) => name !== 'rfu9' && name !== 'multos'),
  rspCapability: [0, 1, 3],
  forbiddenProfilePolicyRules: [],
  sasAcreditationNumber: 'XX-SI-UP-0000',
};

/**
 * EUICCInfo2 (BF22, SGP.22 §5.7.8) in DER with every mandatory field.
 * `verificationCis` go to A9 (anchors of SM-DPf chains), `signingCis` to AA (anchors of the eUICC's own chain).
 */
export function encodeEuiccInfo2(
  features: EuiccFeatures,
  verificationCis: readonly Bytes[],
  signingCis: readonly Bytes[],
): Bytes {
  const capabilities = features.uiccCapability.map((name) => UICC_CAPABILITY.indexOf(name));
  const ids = (list: readonly Bytes[]): Bytes[] => list.map((id) => tlv(0x04, id));
  return tlv(
    0xbf22,
    tlv(0x81, version(features.profileVersion)),
    tlv(0x82, version(features.svn)),
    tlv(0x83, version(features.firmwareVersion)),
    tlv(
      0x84, // OCTET STRING that holds the three TLVs of ETSI TS 102 226
      tlv(0x81, Uint8Array.of(0)),
      tlv(0x82, fourOctets(features.freeNonVolatileMemory)),
      tlv(0x83, fourOctets(features.freeVolatileMemory)),
    ),
    tlv(0x85, bitString(capabilities)),
    tlv(0x88, bitString(features.rspCapability)),
    tlv(0xa9, ...ids(verificationCis)),
    tlv(0xaa, ...ids(signingCis)),
    tlv(0x99, bitString(features.forbiddenProfilePolicyRules)),
    tlv(0x04, version('1.0.0')),
    tlv(0x0c, Buffer.from(features.sasAcreditationNumber, 'utf8')),
  );
}

/** Named bits in DER: trailing zero bits omitted, first octet the number of unused bits. */
export function bitString(bits: readonly number[]): Bytes {
  if (bits.length === 0) return Uint8Array.of(0);
  const highest = Math.max(...bits);
  const octets = new Uint8Array(2 + (highest >> 3));
  octets[0] = 7 - (highest & 7);
  for (const bit of bits) octets[1 + (bit >> 3)] = (octets[1 + (bit >> 3)] ?? 0) | (0x80 >> (bit & 7));
  return octets;
}

function fourOctets(value: number): Bytes {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}

function version(dotted: string): Bytes {
  const parts = dotted.split('.').map(Number);
  if (parts.length !== 3 || !parts.every((part) => part >= 0 && part < 256)) {
    throw new SimError(`a version has three octets: ${dotted}`);
  }
  return Uint8Array.from(parts);
}
