import type { AkaParameter } from './aka-parameter.ts';

/**
 * ServicesList of the profile header, by component number, with the bit of UICCCapability (EuiccInfo2
 * uiccCapability, SGP.22) that an eUICC must announce to satisfy it. The orders of the two types differ.
 */
export const SERVICES = [
  { name: 'contactless', capabilityBit: 0 },
  { name: 'usim', capabilityBit: 1 },
  { name: 'isim', capabilityBit: 2 },
  { name: 'csim', capabilityBit: 3 },
  { name: 'milenage', capabilityBit: 4 },
  { name: 'tuak128', capabilityBit: 6 },
  { name: 'cave', capabilityBit: 5 },
  { name: 'gba-usim', capabilityBit: 10 },
  { name: 'gba-isim', capabilityBit: 11 },
  { name: 'mbms', capabilityBit: 12 },
  { name: 'eap', capabilityBit: 13 },
  { name: 'javacard', capabilityBit: 14 },
  { name: 'multos', capabilityBit: 15 },
  { name: 'multiple-usim', capabilityBit: 16 },
  { name: 'multiple-isim', capabilityBit: 17 },
  { name: 'multiple-csim', capabilityBit: 18 },
  { name: 'tuak256', capabilityBit: 7 },
  { name: 'usim-test-algorithm', capabilityBit: 8 },
  { name: 'ber-tlv', capabilityBit: 19 },
  { name: 'dfLink', capabilityBit: 20 },
  { name: 'cat-tp', capabilityBit: 21 },
  { name: 'get-identity', capabilityBit: 22 },
  { name: 'profile-a-x25519', capabilityBit: 23 },
  { name: 'profile-b-p256', capabilityBit: 24 },
  { name: 'suciCalculatorApi', capabilityBit: 25 },
  { name: 'dns-resolution', capabilityBit: 26 },
  { name: 'scp11ac', capabilityBit: 27 },
  { name: 'scp11c-authorization-mechanism', capabilityBit: 28 },
  { name: 's16mode', capabilityBit: 29 },
  { name: 'eaka', capabilityBit: 30 },
  { name: 'suci-nswo', capabilityBit: 32 },
  { name: 'network-id', capabilityBit: 33 },
  { name: 'coap', capabilityBit: 34 },
  { name: 'gbauApi', capabilityBit: 35 },
  { name: 'uir5GProSe', capabilityBit: 36 },
  { name: 'ssim-Eap-Tls', capabilityBit: 37 },
  { name: 'ssim-Eap-Aka-prime', capabilityBit: 38 },
  { name: 'usatAppPairing', capabilityBit: 39 },
] as const;

export type ServiceName = (typeof SERVICES)[number]['name'];

/** UICCCapability bit of an IoT minimal profile (a profile header with iotOptions). */
export const IOT_MINIMAL_CAPABILITY_BIT = 31;

const CAPABILITY_BITS: ReadonlyMap<ServiceName, number> = new Map(
  SERVICES.map(({ name, capabilityBit }) => [name, capabilityBit]),
);

export function capabilityBit(service: ServiceName): number {
  return CAPABILITY_BITS.get(service)!;
}

export const ALGORITHM_SERVICES = ['milenage', 'tuak128', 'tuak256', 'usim-test-algorithm'] as const;
export type AlgorithmService = (typeof ALGORITHM_SERVICES)[number];

/** The service that an eUICC must have for these parameters: for TUAK, by the length of K. */
export function algorithmService({
  algorithm,
  key,
}: Pick<AkaParameter, 'algorithm' | 'key'>): AlgorithmService {
  if (algorithm !== 'tuak') return algorithm;
  return key.length === 32 ? 'tuak256' : 'tuak128';
}
