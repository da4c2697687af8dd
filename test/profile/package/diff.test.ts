import { expect, it } from 'vitest';
import { diffPackages } from '../../../shared/profile/package/diff.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { decodePackage } from '../../../shared/profile/package/profile-element.ts';
import { ownTemplate } from './support/packages.ts';

const template = ownTemplate();

it('a package does not differ from itself', () => expect(diffPackages(template, template)).toEqual([]));

it('a diff of packages names the files that personalisation changed', () => {
  const row = { iccid: '8988211000000530082', imsi: '262011234567891' };
  const upp = personalise(
    compileTemplate(template, { profileClass: 'test', parameters: Object.keys(row) }),
    row,
  );
  expect(diffPackages(template, upp)).toEqual([
    { change: 'changed', pe: 'header', occurrence: 1, identification: undefined, components: ['83'] },
    { change: 'changed', pe: 'mf', occurrence: 1, identification: 1, components: ['ef-iccid'] },
    { change: 'changed', pe: 'usim', occurrence: 1, identification: 5, components: ['ef-imsi', 'ef-acc'] },
  ]);
});

it('a diff of packages names PEs that one has and the other has not', () => {
  const elements = decodePackage(template).elements;
  const shorter = Buffer.concat(elements.filter(({ name }) => name !== 'rfm').map(({ raw }) => raw));
  expect(diffPackages(template, shorter).map(({ change, pe }) => [change, pe])).toEqual([['removed', 'rfm']]);
  expect(diffPackages(shorter, template).map(({ change, pe }) => [change, pe])).toEqual([['added', 'rfm']]);
});
