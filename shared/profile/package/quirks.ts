import { Fault } from '../../errors.ts';
import file from './euicc-quirks.json' with { type: 'json' };
import { type EuiccQuirk, PACKAGE_TRAITS, type PackageTrait } from './preflight.ts';

const EUICC_MEMBERS = [
  'profileVersion',
  'euiccFirmwareVer',
  'sasAcreditationNumber',
  'platformLabel',
] as const;

/** The quirks of a document; `wrong` is told what would never match, such as a misspelt member. */
export function quirksOf(document: unknown, wrong: (what: string) => never): readonly EuiccQuirk[] {
  const list = memberOf(document, 'quirks');
  if (!Array.isArray(list)) return wrong('has no list of quirks');
  return list.map((entry: unknown, i): EuiccQuirk => {
    const text = (member: string) => {
      const value = memberOf(entry, member);
      return typeof value === 'string' ? value : wrong(`quirk ${i + 1} has no ${member}`);
    };
    const trait = PACKAGE_TRAITS.find((known): known is PackageTrait => known === text('package'));
    const euicc = memberOf(entry, 'euicc');
    const members =
      typeof euicc === 'object' && euicc !== null
        ? Object.entries(euicc)
        : wrong(`quirk ${i + 1} has no euicc`);
    for (const [member, value] of members)
      if (!EUICC_MEMBERS.some((known) => known === member) || typeof value !== 'string')
        wrong(`quirk ${i + 1}: euicc has ${EUICC_MEMBERS.join(', ')}, as text`);
    return {
      id: text('id'),
      euicc: Object.fromEntries(members),
      package: trait ?? wrong(`quirk ${i + 1}: package is one of ${PACKAGE_TRAITS.join(', ')}`),
      says: text('says'),
      wayOut: text('wayOut'),
    };
  });
}

/** What is known of eUICCs in the field: euicc-quirks.json beside this file, with the source of each. */
export const KNOWN_QUIRKS = quirksOf(file, (what) => {
  throw new Fault('configuration', `euicc-quirks.json: ${what}`);
});

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}
