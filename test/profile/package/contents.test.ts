import { expect, it } from 'vitest';
import { packageContents } from '../../../shared/profile/package/contents.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { OPERATIONAL, ownTemplate, TS48_ABSENT, TS48_PRESENT, ts48 } from './support/packages.ts';

const upp = personalise(
  compileTemplate(ownTemplate(), { profileClass: 'operational', parameters: Object.keys(OPERATIONAL) }),
  OPERATIONAL,
);

it('the contents of a package show the subscriber and the files, and name secrets without telling them', () => {
  const contents = packageContents(upp);
  expect(contents.parameters).toMatchObject({
    iccid: ['8988211000000530082', '8988211000000530082'],
    imsi: ['262011234567891'],
    algorithm: ['milenage', 'milenage'],
  });
  expect(contents.secrets).toEqual(expect.arrayContaining(['k', 'opc', 'adm1', 'puk1']));
  const shown = JSON.stringify(contents);
  for (const name of ['k', 'opc', 'adm1', 'scp80.01.enc']) expect(shown).not.toContain(OPERATIONAL[name]);
  expect(contents.files).toContainEqual({
    path: '7FD0/6F07',
    pe: 'usim',
    name: 'ef-imsi',
    structure: 'transparent',
    size: 9,
    recordLength: undefined,
  });
});

it.skipIf(!TS48_PRESENT)(
  `the contents of a package have the files of genericFileManagement and of nested directories${TS48_PRESENT ? '' : ` (${TS48_ABSENT})`}`,
  () => {
    const paths = packageContents(ts48('TS48v5_SAIP2.3_BERTLV_SUCI.der')).files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        '2FE2',
        '7F10/5F3A/4F30',
        '7F10/5F3A/4F3A',
        '7FD0/5FC0/4F07',
        '7FD0/5FD0/4F01',
      ]),
    );
    const known = paths.filter((path) => path !== undefined);
    expect(known.length).toBeGreaterThan(250);
    expect(new Set(known).size).toBe(known.length);
  },
);
