import { type Bytes, toHex } from '../../../codec/bytes.ts';
import { unlessRefused } from '../../../errors.ts';
import { decodeAkaParameter } from '../aka-parameter.ts';
import { decodeImsi } from '../ef/imsi.ts';
import { mncLengthOfAd } from '../ef/mnc-length.ts';
import type { ProfilePackage } from '../profile-element.ts';
import type { PlacedProfile } from '../template-places.ts';
import { CheckedPackage } from './checked-package.ts';
import type { Finding } from './finding.ts';
import type { PackageMetadata } from './package-metadata.ts';
import { type Breach, findingOf, type Rule, type RuleGroup, rule } from './rule.ts';

type Owner = NonNullable<PackageMetadata['profileOwner']>;
const USIM = ['usim', 'iot'] as const;

const given = ({ metadata }: CheckedPackage) => (metadata === undefined ? [] : [metadata]);
const owners = ({ metadata }: CheckedPackage) =>
  metadata?.profileOwner === undefined ? [] : [metadata.profileOwner];
const hasRules = ({ profilePolicyRules = [] }: PackageMetadata) => profilePolicyRules.length > 0;

function imsi(checked: CheckedPackage): string | undefined {
  const file = checked.image(USIM, 'ef-imsi');
  return file && unlessRefused(() => decodeImsi(file));
}

/** A group identifier that is shorter than its file is filled with FF. */
const unfilled = (octets: Bytes) => toHex(octets).replace(/(?:ff)+$/, '');

function ownerFaults(owner: Owner, checked: CheckedPackage): readonly Breach[] {
  const own = imsi(checked);
  const network: readonly Breach[] =
    own === undefined || own.startsWith(owner.mccMnc)
      ? []
      : [{ message: 'the owner is not the network of EF.IMSI', parameter: 'imsi' }];
  const groups = (['gid1', 'gid2'] as const).flatMap((gid): readonly Breach[] => {
    const wanted = owner[gid];
    if (wanted === undefined) return [];
    const stored = checked.image(['opt-usim'], `ef-${gid}`);
    return stored !== undefined && unfilled(stored) === unfilled(wanted)
      ? []
      : [{ message: `${gid} of the owner differs from EF.${gid.toUpperCase()}`, parameter: gid }];
  });
  return [...network, ...groups];
}

const names = [
  ['serviceProviderName', 'the service provider name is empty'],
  ['profileName', 'the profile name is empty'],
] as const;

/** The K of GSMA TS.48, in the lengths that MILENAGE and TUAK take. */
const TEST_KEYS: readonly string[] = [
  '000102030405060708090a0b0c0d0e0f',
  '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
];

const keysOf = (checked: CheckedPackage) =>
  checked.named('akaParameter').flatMap((element) => {
    const aka = decodeAkaParameter(element.fields);
    return aka === undefined ? [] : [{ element, aka }];
  });

/** Metadata against the files of the package: a real eUICC compares the same (errors 13 and 15). */
export const metadataRules: RuleGroup = {
  name: 'Metadata',
  rules: [
    rule({
      id: 'metadata-iccid',
      clause: 'SGP.22, 2.4.4',
      text: 'The metadata have the ICCID of the package.',
      wayOut: 'Correct iccid: an eUICC answers another one with error 13.',
      subjects: given,
      breach: ({ iccid }, { header }) =>
        iccid === header.iccid
          ? undefined
          : { message: 'the ICCID of the metadata is not that of the package', parameter: 'iccid' },
    }),
    rule({
      id: 'metadata-name',
      clause: 'SGP.22, 5.5.3',
      text: 'The service provider name and the profile name are not empty.',
      wayOut: 'Give both names.',
      subjects: given,
      breach: (metadata) =>
        names.filter(([member]) => metadata[member] === '').map(([, message]) => ({ message })),
    }),
    rule({
      id: 'metadata-policy-rules',
      clause: 'SGP.22, 2.4.5.3',
      text: 'Profile policy rules have a profile owner, and a test profile has none.',
      wayOut: 'Add profileOwner, or remove profilePolicyRules.',
      subjects: (checked) => given(checked).filter(hasRules),
      breach: ({ profileOwner, profileClass }) => [
        ...(profileOwner === undefined ? [{ message: 'profile policy rules need a profile owner' }] : []),
        ...(profileClass === 'test'
          ? [{ message: 'a test profile should have no profile policy rules', level: 'warning' as const }]
          : []),
      ],
    }),
    rule({
      id: 'metadata-test-key',
      clause: 'SGP.22, 2.4.5.3',
      // some eUICCs of laboratories are made to take any key
      level: 'warning',
      text: 'A test profile has the test algorithm or the published K of GSMA TS.48.',
      wayOut:
        'Order another profileClass, or a template with a test key (smdpf profile template --test) whose key no row sets: an eUICC answers any other with error 14.',
      subjects: (checked) => (checked.metadata?.profileClass === 'test' ? keysOf(checked) : []),
      breach: ({ aka }) =>
        aka.algorithm === 'usim-test-algorithm' || TEST_KEYS.includes(toHex(aka.key))
          ? undefined
          : 'a test profile has a K that is no published test key, so that every eUICC refuses it (error 14)',
      element: ({ element }) => element,
    }),
    rule({
      id: 'metadata-owner-imsi',
      clause: 'SGP.22, 2.4.5.3',
      text: 'A profile with an owner or policy rules has an EF.IMSI.',
      wayOut: 'Personalise imsi, or leave profileOwner and profilePolicyRules out.',
      subjects: (checked) =>
        given(checked).filter((metadata) => hasRules(metadata) || metadata.profileOwner !== undefined),
      breach: (_, checked) =>
        imsi(checked) === undefined
          ? { message: 'a profile with an owner or policy rules needs an EF.IMSI', parameter: 'imsi' }
          : undefined,
    }),
    rule({
      id: 'metadata-owner',
      clause: 'SGP.22, 2.4.5.3',
      text: 'The owner has MCC and MNC of EF.IMSI, and the group identifiers of EF.GID1 and EF.GID2.',
      wayOut: 'Correct profileOwner, or the rows: an eUICC answers a difference with error 15.',
      subjects: owners,
      breach: ownerFaults,
    }),
    rule({
      id: 'metadata-mnc-length',
      clause: '3GPP TS 31.102, 4.2.18',
      text: 'The owner and EF.AD agree on how many digits the MNC has.',
      wayOut: 'Personalise mncLength, or give mccMnc of the owner with as many digits as EF.AD says.',
      subjects: owners,
      breach: ({ mccMnc }, checked) => {
        const length = mncLengthOfAd(checked.image(USIM, 'ef-ad'));
        return length === undefined || length === mccMnc.length - 3
          ? undefined
          : {
              message: `the owner's MNC has ${mccMnc.length - 3} digits, and EF.AD says ${length}`,
              parameter: 'mncLength',
            };
      },
    }),
  ],
};

/**
 * What the rules on metadata find; nothing else of the package is looked at. `placed` reads a package that was made from a
 * template, whose PEs `profile` has.
 */
export function checkMetadata(
  profile: ProfilePackage,
  metadata: PackageMetadata,
  placed?: PlacedProfile,
): readonly Finding[] {
  const checked = new CheckedPackage(profile, metadata, placed);
  return metadataRules.rules.flatMap((one: Rule) =>
    (one.check(checked) ?? []).map((breach) => findingOf(one, breach)),
  );
}

const ERROR_RULES = metadataRules.rules.filter(({ level }) => level === 'error');

/** The first error among them: of thousands of profiles of one template, whose warnings were told of the first. */
export function metadataError(
  profile: ProfilePackage,
  metadata: PackageMetadata,
  placed: PlacedProfile,
): Finding | undefined {
  const checked = new CheckedPackage(profile, metadata, placed);
  for (const one of ERROR_RULES)
    for (const breach of one.check(checked) ?? [])
      if ((breach.level ?? one.level) === 'error') return findingOf(one, breach);
  return undefined;
}
