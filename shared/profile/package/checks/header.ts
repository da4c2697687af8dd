import { toHex } from '../../../codec/bytes.ts';
import { decodeIccid, luhnHolds, swapNibbles } from '../../../codec/iccid.ts';
import { unlessRefused } from '../../../errors.ts';
import type { CheckedPackage } from './checked-package.ts';
import type { RuleGroup } from './rule.ts';
import { elementRule, rule } from './rule.ts';

/** Major versions of the interoperable format that have been published. */
const MAJOR_VERSIONS = [1, 2, 3];

const headers = ({ elements }: CheckedPackage) =>
  elements.slice(0, 1).filter(({ name }) => name === 'header');

/** Profile header and PE headers. */
export const headerRules: RuleGroup = {
  name: 'Header',
  rules: [
    rule({
      id: 'profile-header-once',
      clause: '8.2.1',
      text: 'There is exactly one profile header.',
      wayOut: 'Leave one PE header, as the first PE.',
      subjects: (checked) => [checked.named('header')],
      breach: (found) =>
        found.length === 1
          ? undefined
          : { message: `the package has ${found.length} profile headers`, element: found[1] },
    }),
    rule({
      id: 'profile-header-first',
      clause: '8.2.1',
      text: 'The profile header is the first PE.',
      wayOut: 'Move the PE header to the beginning.',
      subjects: ({ elements }) => elements.slice(0, 1),
      breach: ({ name }) => (name === 'header' ? undefined : 'the header is not the first PE'),
      element: (element) => element,
    }),
    elementRule({
      id: 'pe-identification-unique',
      clause: '8.1.3',
      text: 'Every PE has an identification of its own: an eUICC names by it what failed.',
      wayOut: 'Number the PEs anew.',
      of: ({ identification }) => identification !== undefined,
      breach: (element, { elements }) =>
        elements.find(({ identification }) => identification === element.identification) === element
          ? undefined
          : `identification ${element.identification} is not unique`,
    }),
    rule({
      id: 'major-version-known',
      clause: '8.2.1',
      level: 'warning',
      text: 'The major version is one that eUICCs support.',
      wayOut: 'Set major-version to that of the format that the package follows: 2 or 3.',
      subjects: headers,
      breach: (_, { header: { majorVersion: major, minorVersion: minor } }) =>
        MAJOR_VERSIONS.includes(major)
          ? undefined
          : `no eUICC supports version ${major}.${minor}: it refuses the installation`,
      element: (element) => element,
    }),
    rule({
      id: 'profile-type-utf8',
      clause: '8.2.1',
      text: 'profileType is text in UTF-8.',
      wayOut: 'Write profileType in UTF-8, or leave it out.',
      subjects: headers,
      breach: (_, { header }) => (header.profileTypeIsText ? undefined : 'profileType is not UTF-8'),
      element: (element) => element,
    }),
    rule({
      id: 'header-iccid-swapped',
      clause: '8.2.1',
      text: 'The ICCID of the profile header has its high nibble first; only EF.ICCID swaps them.',
      wayOut: 'Write the octets of the header in the order of the digits: 89 88 …, not 98 88 ….',
      subjects: headers,
      breach: (_, checked) =>
        checked.header.iccidCoding === 'swapped' || isSwapOfFile(checked)
          ? 'iccid of the profile header: its nibbles are swapped; only EF.ICCID swaps them'
          : undefined,
      element: (element) => element,
    }),
    rule({
      id: 'iot-iccid-padding',
      clause: '8.2.1',
      text: 'IoT: F stands only at the end of the ICCID in the header, which becomes EF.ICCID.',
      wayOut: 'Pad the ICCID with F behind its digits.',
      subjects: (checked) => (checked.iot ? headers(checked) : []),
      breach: (_, { header }) =>
        header.iccidCoding === 'padded-inside'
          ? 'iccid of the profile header has an F between digits'
          : undefined,
      element: (element) => element,
    }),
    rule({
      id: 'full-iccid-padding',
      clause: '8.2.1',
      level: 'warning',
      text: 'F stands only at the end of the ICCID in the header; an eUICC ignores the value.',
      wayOut: 'Pad the ICCID with F behind its digits.',
      subjects: (checked) => (checked.iot ? [] : headers(checked)),
      breach: (_, { header }) =>
        header.iccidCoding === 'padded-inside'
          ? 'iccid of the profile header has an F between digits'
          : undefined,
      element: (element) => element,
    }),
    rule({
      id: 'iccid-luhn',
      clause: 'ITU-T E.118',
      level: 'warning',
      text: 'The last digit of the ICCID is its Luhn digit.',
      wayOut: 'Personalise the ICCID: 18 digits get their Luhn digit.',
      subjects: headers,
      breach: (_, { header: { iccid, iccidCoding } }) =>
        iccidCoding !== 'right' || iccid.length < 19 || luhnHolds(iccid)
          ? undefined
          : 'the Luhn digit of the ICCID is wrong',
      element: (element) => element,
    }),
    rule({
      id: 'iccid-of-header-and-file',
      clause: '8.2.1',
      text: 'The header and EF.ICCID have one ICCID.',
      wayOut: 'Personalise the ICCID: it goes to both places.',
      subjects: (checked) => (headers(checked).length === 0 ? [] : checked.files(['mf', 'iot'], 'ef-iccid')),
      breach: (file, checked) => {
        const image = unlessRefused(() => toHex(checked.imageOf(file)));
        if (image === undefined || isSwapOfFile(checked)) return undefined;
        const stored = unlessRefused(() => toHex(swapNibbles(checked.imageOf(file))).replace(/f+$/, ''));
        if (stored === checked.header.iccid) return undefined;
        const unswapped = image.replace(/f+$/, '') === checked.header.iccid;
        return {
          message: unswapped
            ? 'EF.ICCID has the octets of the header, whose nibbles it must swap'
            : 'EF.ICCID differs from the ICCID in the header',
          element: checked.elementOf(file),
        };
      },
    }),
  ],
};

/** Major industry identifier of telecommunication (ITU-T E.118): what every ICCID begins with. */
const MII = '89';

/** Does EF.ICCID hold the octets of the header as they are, and is it the header that is wrong? */
function isSwapOfFile(checked: CheckedPackage): boolean {
  const { iccid, iccidCoding } = checked.header;
  const [file] = checked.files(['mf', 'iot'], 'ef-iccid');
  const stored = file && unlessRefused(() => decodeIccid(checked.imageOf(file)));
  if (iccidCoding !== 'right' || stored === undefined || stored === iccid) return false;
  if (iccid.length !== 20 || iccid.startsWith(MII)) return false;
  return toHex(swapNibbles(Buffer.from(iccid, 'hex'))) === stored.padEnd(20, 'f');
}
