import { describe, expect, it } from 'vitest';
import { encodeOid } from '../../../../shared/codec/oid.ts';
import { tlv } from '../../../../shared/codec/tlv.ts';
import { validatePackage } from '../../../../shared/profile/package/validate.ts';
import { withBefore, withComponent } from '../support/build.ts';
import {
  aka,
  createdMf,
  createdUsim,
  csim,
  iot,
  own,
  PIN,
  pins,
  ssim,
  ssimByAka,
  withHeader,
} from '../support/good-packages.ts';

describe('a package that is as it should be has no finding', () => {
  it.each([
    ['USIM and ISIM', own],
    ['with a CSIM', csim],
    ['with an SSIM and EAP-TLS', ssim],
    ["with an SSIM and EAP-AKA'", ssimByAka],
    ['an IoT minimal profile', iot],
    ['a USIM by genericFileManagement', createdUsim],
    ['an MF by genericFileManagement', createdMf],
  ])('%s', (_, upp) => expect(validatePackage(upp)).toEqual([]));
});

it('behind a PE of a later version PINs and parameters are taken as its own', () => {
  const later = tlv(0xbf23, tlv(0xa0, tlv(0x81, Buffer.of(90))));
  const upp = withBefore(own, 'end', 0, later, pins(91, [0x81, PIN]), aka(92, 1, 16, 16));
  expect(validatePackage(upp).map(({ code }) => code)).toEqual(['pe-known']);
});

it('a later version of a known template is worth a warning in a package of format 3', () => {
  const later = withComponent(own, 'telecom', 0x81, tlv(0x81, encodeOid('2.23.143.1.2.3.9')));
  const levels = (upp: Uint8Array) =>
    validatePackage(upp)
      .filter(({ code }) => code === 'template-oid-assigned')
      .map(({ severity }) => severity);
  expect(levels(later)).toEqual(['error']);
  expect(levels(withHeader(later, 0x80, Buffer.of(3)))).toEqual(['warning']);
});
