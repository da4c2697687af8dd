import { describe, expect, it } from 'vitest';
import { auditPersonalisation } from '../../../shared/profile/package/audit.ts';
import { packageContents } from '../../../shared/profile/package/contents.ts';
import { mncLengthOfMcc } from '../../../shared/profile/package/ef/mnc-length.ts';
import { fileTag } from '../../../shared/profile/package/file-pes.ts';
import { headerOf } from '../../../shared/profile/package/header.ts';
import type { ProfileValues } from '../../../shared/profile/package/parameter.ts';
import {
  compileTemplate,
  personalise,
  type TemplateOptions,
} from '../../../shared/profile/package/personalise.ts';
import { decodePackage } from '../../../shared/profile/package/profile-element.ts';
import { validatePackage } from '../../../shared/profile/package/validate.ts';
import { withComponent, withFile } from './support/build.ts';
import { createdUsim, own } from './support/good-packages.ts';

function made(values: ProfileValues, options: Partial<TemplateOptions> = {}, upp = own) {
  const template = compileTemplate(upp, {
    profileClass: 'test',
    parameters: Object.keys(values),
    deriveIsim: true,
    ...options,
  });
  const profile = personalise(template, values);
  // derived values are audited as those that were given
  expect(auditPersonalisation(profile, values, template).filter(({ code }) => code === 'differs')).toEqual(
    [],
  );
  return profile;
}
const domainOf = (upp: Uint8Array) => packageContents(upp).parameters.domain;
const DOMAIN_3 = ['ims.mnc260.mcc310.3gppnetwork.org'];
const refusal = expect.objectContaining({ subjectIdentifier: 'mncLength' });

describe('identities of the ISIM are derived once everything that was given is written', () => {
  const imsi = '310260123456789';
  it.each<readonly [string, ProfileValues, Partial<TemplateOptions>]>([
    ['a column mncLength', { imsi, mncLength: '3' }, {}],
    ['a constant mncLength', { imsi }, { constants: { mncLength: '3' } }],
    ['EF.AD by its component', { imsi, 'ef:usim/ef-ad': '00000003' }, {}],
    ['EF.AD by its path', { imsi, 'ef:7FD0/6FAD': '00000003' }, {}],
    ['an owner that agrees', { imsi, mncLength: '3' }, { ownerMccMnc: '310260' }],
    ['EF.IMSI as octets', { 'ef:usim/ef-imsi': '083901621032547698', mncLength: '3' }, {}],
  ])('the length of the MNC is that of %s', (_, values, options) => {
    const profile = made(values, options);
    expect(domainOf(profile)).toEqual(DOMAIN_3);
    expect(packageContents(profile).parameters.mncLength).toEqual(['3']);
    expect(validatePackage(profile)).toEqual([]);
  });
  it('two digits are told apart from three', () => {
    expect(domainOf(made({ imsi: '262011234567891' }))).toEqual(['ims.mnc001.mcc262.3gppnetwork.org']);
    // 036 of a network 03: a length of three would be wrong here
    const upp = withFile(own, 'usim', 'ef-ad', { size: '04' }, '00000003');
    expect(() => made({ imsi: '262036123456789' }, {}, upp)).toThrowError(refusal);
    expect(domainOf(made({ imsi: '262036123456789', mncLength: '2' }, {}, upp))).toEqual([
      'ims.mnc003.mcc262.3gppnetwork.org',
    ]);
  });
  it('EF.ACC follows EF.IMSI, whichever parameter writes it', () => {
    const { parameters } = packageContents(
      made({ 'ef:7FD0/6F07': '082926102143658719' }, { deriveIsim: false }),
    );
    expect(parameters.acc).toEqual(['0002']);
  });
  it('what is given is not derived', () => {
    const { parameters } = packageContents(made({ imsi: '262011234567891', 'ef:isim/ef-domain': '80016d' }));
    expect(parameters.domain).toEqual(['m']);
    expect(parameters.impi).toEqual(['262011234567891@ims.mnc001.mcc262.3gppnetwork.org']);
  });
});

describe('a length of the MNC that does not agree is refused', () => {
  it.each<readonly [string, string, Partial<TemplateOptions>, Uint8Array]>([
    ['with the country', '302720123456789', {}, own],
    ['with the owner', '001010123456789', { ownerMccMnc: '001010' }, own],
    [
      'with anything, since nothing says it',
      '001010123456789',
      {},
      withFile(own, 'usim', 'ef-ad', { size: '04' }, 'ffffffff'),
    ],
  ])('%s', (_, imsi, options, upp) => {
    expect(() => made({ imsi }, options, upp)).toThrowError(refusal);
  });
  it('and so is anything but 2 and 3', () => {
    for (const mncLength of ['', '1', '4', '03'])
      expect(() => made({ imsi: '001010123456789', mncLength })).toThrowError(refusal);
  });
  it('countries agree with E.212', () => {
    expect(['310', '302', '334', '262', '440', '001', '405'].map(mncLengthOfMcc)).toEqual([
      3,
      3,
      3,
      2,
      2,
      undefined,
      undefined,
    ]);
  });
});

describe('mandatory services follow what personalisation changes', () => {
  const servicesOf = (upp: Uint8Array) => headerOf(decodePackage(upp)).mandatoryServices;
  const K32 = 'ab'.repeat(32);
  it.each<readonly [string, ProfileValues, readonly string[]]>([
    ['TUAK with 32 octets', { algorithm: 'tuak', k: K32, opc: K32 }, ['usim', 'isim', 'tuak256']],
    ['TUAK with 16 octets', { algorithm: 'tuak', k: 'ab'.repeat(16), opc: K32 }, ['usim', 'isim', 'tuak128']],
    [
      'the USIM test algorithm',
      { algorithm: 'usim-test-algorithm' },
      ['usim', 'isim', 'usim-test-algorithm'],
    ],
    ['the algorithm of the template', { algorithm: 'milenage' }, ['usim', 'isim', 'milenage']],
  ])('%s', (_, values, services) => {
    const row = { iccid: '8988211000000530009', ...values };
    const profile = made(row, { deriveIsim: false });
    expect(servicesOf(profile)).toEqual(services);
    expect(validatePackage(profile)).toEqual([]);
  });
  it('also where the algorithm is a constant', () => {
    const profile = made({ k: K32, opc: K32 }, { deriveIsim: false, constants: { algorithm: 'tuak' } });
    expect(servicesOf(profile)).toEqual(['usim', 'isim', 'tuak256']);
  });
  it('EF.UST announces a file that is added, unless the row gives EF.UST', () => {
    const bare = withFile(
      withComponent(own, 'opt-usim', fileTag('opt-usim', 'ef-gid1')!, undefined),
      'usim',
      'ef-ust',
      { size: '11' },
      // all services of our template but 17
      ustWithout(17),
    );
    expect(validatePackage(bare)).toEqual([]);
    expect(validatePackage(made({ gid1: 'ab' }, { deriveIsim: false }, bare))).toEqual([]);
    const asGiven = made({ gid1: 'ab', 'ef:usim/ef-ust': ustWithout(17) }, { deriveIsim: false }, bare);
    expect(validatePackage(asGiven).map(({ code }) => code)).toEqual(['file-service']);
  });
});

/** EF.UST of our template without one service. */
function ustWithout(service: number): string {
  const table = Buffer.alloc(17);
  for (const other of [10, 12, 17, 18, 19, 20, 21, 28, 33, 42, 43, 71, 85, 122, 123, 124, 126])
    if (other !== service) table[(other - 1) >>> 3]! |= 1 << ((other - 1) & 7);
  return table.toString('hex');
}

it('a USIM by genericFileManagement takes a length of the MNC as well', () => {
  const { parameters } = packageContents(made({ imsi: '310260123456789', mncLength: '3' }, {}, createdUsim));
  expect(parameters.domain).toEqual(DOMAIN_3);
});
