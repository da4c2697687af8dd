import { tagName } from '../../../codec/tlv.ts';
import { present } from '../../../present.ts';
import { isFilePe } from '../file-pes.ts';
import { NAA_EXTENSIONS, type Naa } from '../naa.ts';
import type { Directory } from '../package-file.ts';
import type { PeName } from '../profile-element.ts';
import type { CheckedPackage } from './checked-package.ts';
import { elementRule, type Rule, type RuleGroup, rule } from './rule.ts';

const AFTER_MF: readonly PeName[] = ['cd', 'telecom', 'usim', 'isim', 'csim', 'ssim'];
const USUAL: readonly (readonly [PeName, string])[] = [
  ['pukCodes', 'a PIN that is blocked stays blocked'],
  ['pinCodes', 'nothing in the profile is protected by a PIN or an administrative code'],
  ['securityDomain', 'nobody can manage the profile over the air'],
];

/** The ADF that a PE extends, and whether the ADF that was made last is another. */
function extended(checked: CheckedPackage, place: number, naa: Naa): { adf?: Directory; ambiguous: boolean } {
  const before = checked.adfs.filter((adf) => adf.place < place);
  const adf = before.findLast((other) => other.naa === naa || other.naa === 'other');
  return { ...present({ adf }), ambiguous: adf !== undefined && before.at(-1) !== adf };
}

const withArticle = (naa: Naa) => `${naa === 'isim' ? 'an' : 'a'} ${naa.toUpperCase()}`;

function extensionRules(pe: PeName, naa: Naa): readonly Rule[] {
  const after = pe === 'opt-iot' ? 'iot' : naa;
  const title = after === 'iot' ? 'a PE iot' : `the ADF of ${withArticle(after)}`;
  const gfm = after === 'iot' ? '' : ', which genericFileManagement may make as well';
  const follows = elementRule({
    id: `${pe}-after-${after}`,
    clause: '8.1.3',
    text: `A PE ${pe} follows ${title}.`,
    wayOut: `Move the PE ${pe} behind ${title}${gfm}.`,
    of: ({ name }) => name === pe,
    breach(element, checked) {
      const place = checked.placeOf(element);
      const found =
        after === 'iot'
          ? checked.elements.slice(0, place).some(({ name }) => name === 'iot')
          : extended(checked, place, naa).adf !== undefined;
      return found ? undefined : `the PE ${pe} does not follow ${title}`;
    },
  });
  if (after === 'iot') return [follows];
  const context = elementRule({
    id: `${pe}-context`,
    clause: '8.1.3',
    level: 'warning',
    text: `No other NAA stands between the ${naa.toUpperCase()} and the PE ${pe}, which would leave open whose it is.`,
    wayOut: `Move the PE ${pe} to the other PEs of its ${naa.toUpperCase()}.`,
    of: ({ name }) => name === pe,
    breach: (element, checked) =>
      extended(checked, checked.placeOf(element), naa).ambiguous
        ? `another NAA stands between the ${naa.toUpperCase()} and the PE ${pe}`
        : undefined,
  });
  return [follows, context];
}

/** Order and presence of PEs. */
export const orderRules: RuleGroup = {
  name: 'Order',
  rules: [
    rule({
      id: 'end-once',
      clause: '8.10',
      text: 'There is exactly one PE end.',
      wayOut: 'Leave one PE end, as the last PE.',
      subjects: (checked) => [checked.named('end')],
      breach: (found) =>
        found.length === 1
          ? undefined
          : { message: `the package has ${found.length} PEs end`, element: found[1] },
    }),
    rule({
      id: 'end-last',
      clause: '8.10',
      text: 'The PE end is the last.',
      wayOut: 'Move the PE end behind all others.',
      subjects: ({ elements }) => elements.slice(-1),
      breach: ({ name }) => (name === 'end' ? undefined : 'the last PE is not end'),
      element: (element) => element,
    }),
    rule({
      id: 'mf-first',
      clause: '8.1.3',
      text: 'The MF is the first that is created: by PE-MF, by genericFileManagement (3F00), or by PE-IoT.',
      wayOut: 'Put the PE that makes the MF behind the header.',
      subjects: ({ elements }) =>
        [elements.find(({ name }) => isFilePe(name) || name === 'genericFileManagement')].filter(
          (element) => element !== undefined,
        ),
      breach: (element, checked) =>
        checked.system.directories[0]?.kind === 'mf' &&
        checked.elementOf(checked.system.directories[0]) === element
          ? undefined
          : 'the first PE that makes files does not begin with the MF',
      element: (element) => element,
    }),
    rule({
      id: 'mf-present',
      clause: '8.1.3',
      text: 'The package makes an MF.',
      wayOut: 'Add a PE mf, or iot in an IoT minimal profile.',
      subjects: (checked) => [checked],
      breach: ({ system }) =>
        system.directories.some(({ kind }) => kind === 'mf') ? undefined : 'the package makes no MF',
    }),
    ...AFTER_MF.map((pe) =>
      elementRule({
        id: `${pe}-after-mf`,
        clause: '8.1.3',
        text: `A PE ${pe} follows the MF.`,
        wayOut: `Move the PE ${pe} behind the PE that makes the MF.`,
        of: ({ name }) => name === pe,
        breach: (element, checked) =>
          checked.system.directories.some(
            ({ kind, place }) => kind === 'mf' && place < checked.placeOf(element),
          )
            ? undefined
            : `the PE ${pe} does not follow the MF`,
      }),
    ),
    ...Object.entries(NAA_EXTENSIONS).flatMap(([pe, naa]) => extensionRules(pe as PeName, naa)),
    elementRule({
      id: 'pe-known',
      clause: '8.1.1',
      level: 'warning',
      text: 'A published version names the PE.',
      wayOut: 'Ask who made the package what the PE is for: an eUICC that does not know it skips it.',
      of: () => true,
      breach: ({ name, tag }) =>
        name === 'unknown' || name.startsWith('rfu')
          ? `no published version names a PE with the tag ${tagName(tag)}`
          : undefined,
    }),
    ...USUAL.map(([pe, why]) =>
      rule({
        id: `${pe.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}-present`,
        clause: '8.1',
        level: 'warning',
        text: `The package has a PE ${pe}, without which ${why}.`,
        wayOut: `Add a PE ${pe}, unless that is meant.`,
        subjects: (checked) => [checked],
        breach: (checked) => (checked.named(pe).length > 0 ? undefined : `the package has no PE ${pe}`),
      }),
    ),
    rule({
      id: 'aka-present',
      clause: '8.4.1',
      text: 'A package with a USIM or an ISIM has an akaParameter.',
      wayOut: 'Add a PE akaParameter behind each NAA.',
      subjects: ({ adfs }) => adfs.filter(({ naa }) => naa === 'usim' || naa === 'isim').slice(0, 1),
      breach: (_, checked) =>
        checked.named('akaParameter').length > 0 ? undefined : 'the package has no PE akaParameter',
    }),
  ],
};
