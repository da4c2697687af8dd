import { tlv } from '../../../../shared/codec/tlv.ts';
import type { PackageMetadata } from '../../../../shared/profile/package/checks/package-metadata.ts';
import { create, instead, join, withBefore, withFile } from '../support/build.ts';
import * as good from '../support/good-packages.ts';

const { own, pins, withGfm, withHeader, DF, AD } = good;

/** The package that breaks a rule, and what else it breaks, which cannot be avoided. */
export type Case = readonly [
  id: string,
  upp: () => Uint8Array,
  also?: readonly string[],
  metadata?: PackageMetadata,
];

export const beforeEnd = (...more: readonly Uint8Array[]) => withBefore(own, 'end', 0, ...more);
export const usimFile = (name: string, parts: Parameters<typeof withFile>[3], content?: string) =>
  withFile(own, 'usim', name, parts, content);
export const dfFile = (parts: Parameters<typeof withFile>[3], content?: string) =>
  withFile(own, 'telecom', 'df-telecom', parts, content);
export const mfPins = (...codes: Parameters<typeof pins>[1][]) =>
  instead(own, 'pinCodes', 0, pins(3, ...codes));
export const usimPins = (...codes: Parameters<typeof pins>[1][]) =>
  instead(own, 'pinCodes', 1, pins(7, ...codes));
/** DF 7F66 with one EF of these parameters. */
export const ef = (parts: Parameters<typeof create>[0], ...items: readonly Uint8Array[]) =>
  withGfm([create({ ...DF, fileId: '7f66' }), create(parts), ...items]);
export const EF = { ...AD, fileId: '6f01' };
export const ADF = {
  descriptor: '7821',
  fileId: '7fe0',
  dfName: 'A000000087100AFF34FF0789',
  arr: '01',
  pins: '010a',
};
/** ADFs that EF.DIR of our template does not name. */
export const NOT_LISTED = ['adf-in-ef-dir'];
export const services = (...names: readonly number[]) =>
  withHeader(own, 0xa5, join(...names.map((tag) => tlv(tag))));
export const METADATA: PackageMetadata = {
  iccid: '8900101000000000001',
  serviceProviderName: 'Operator',
  profileName: 'Profile',
};
