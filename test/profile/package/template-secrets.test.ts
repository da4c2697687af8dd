import { expect, it } from 'vitest';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { templateSecrets } from '../../../shared/profile/package/template-secrets.ts';
import { ownTemplate, TS48_ABSENT, TS48_PRESENT, ts48 } from './support/packages.ts';

it('the secrets of a template name every secret that an operational profile must be given', () => {
  const secrets = templateSecrets(ownTemplate());
  expect(secrets.map(({ name, kind, length }) => [name, kind, length])).toEqual([
    ['k', 'octets', 16],
    ['opc', 'octets', 16],
    ['adm1', 'digits', 8],
    ['puk1', 'digits', 8],
    ['puk2', 'digits', 8],
    ['scp80.01.enc@A000000151000000', 'octets', 16],
    ['scp80.01.mac@A000000151000000', 'octets', 16],
    ['scp80.01.dek@A000000151000000', 'octets', 16],
  ]);
  const drawn = secrets.map(({ name, kind, length }) => [
    name,
    kind === 'digits' ? '8'.repeat(length) : 'c35a'.repeat(length / 2),
  ]);
  const row = { iccid: '8988211000000530082', imsi: '262011234567891', ...Object.fromEntries(drawn) };
  const template = compileTemplate(ownTemplate(), {
    profileClass: 'operational',
    parameters: Object.keys(row),
  });
  expect(personalise(template, row).length).toBe(ownTemplate().length);
});

it.skipIf(!TS48_PRESENT)(
  `the secrets of a template have both key versions of TS.48${TS48_PRESENT ? '' : ` (${TS48_ABSENT})`}`,
  () => {
    const names = templateSecrets(ts48('TS48v1_A.der')).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['adm2', 'scp80.02.dek@A000000151000000']));
  },
);
