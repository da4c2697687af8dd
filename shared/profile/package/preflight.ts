import type { Bytes } from '../../codec/bytes.ts';
import type { EuiccInfo2 } from '../../rsp/euicc-info2.ts';
import { child, inProfile } from './element.ts';
import { eligibilityNeeds } from './eligibility-needs.ts';
import { fileSystemOf } from './file-system.ts';
import { decodePackage, type ProfilePackage } from './profile-element.ts';
import { capabilityBit, IOT_MINIMAL_CAPABILITY_BIT, type ServiceName } from './services.ts';

/** What would keep a package from being installed on an eUICC, as far as its EuiccInfo2 tells. */
export interface PreflightFinding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
}

/** A trait of packages that a quirk of eUICCs may be about. */
export type PackageTrait =
  | 'one-octet-ef-file-size'
  | 'empty-fcp'
  | 'ber-tlv-file'
  | 'df-link'
  | 'application';
export const PACKAGE_TRAITS: readonly PackageTrait[] = [
  'one-octet-ef-file-size',
  'empty-fcp',
  'ber-tlv-file',
  'df-link',
  'application',
];

/** Known behaviour of some eUICCs; members of `euicc` are beginnings of what EuiccInfo2 says. */
export interface EuiccQuirk {
  readonly id: string;
  readonly euicc: {
    readonly profileVersion?: string;
    readonly euiccFirmwareVer?: string;
    readonly sasAcreditationNumber?: string;
    readonly platformLabel?: string;
  };
  readonly package: PackageTrait;
  readonly says: string;
  readonly wayOut: string;
}

/** A template as eUICCs meet it. */
export interface PreparedPreflight {
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly services: readonly ServiceName[];
  readonly iotMinimal: boolean;
  /** Non-volatile memory in octets, at least. */
  readonly memory: number;
  readonly traits: ReadonlySet<PackageTrait>;
}

/** What a file costs beside its content: its descriptor and bookkeeping. An assumption; eUICCs differ. */
const FILE_OVERHEAD = 32;
/** eUICCs differ in how they store a profile: below this multiple of the estimate, loading is not sure. */
const MARGIN = 1.5;

export function preparePreflight(upp: Bytes): PreparedPreflight {
  return inProfile(() => {
    const profile = decodePackage(upp);
    const { majorVersion, minorVersion, mandatoryServices, iotMinimal } = eligibilityNeeds(upp);
    return {
      majorVersion,
      minorVersion,
      services: mandatoryServices,
      iotMinimal,
      memory: memoryEstimate(profile),
      traits: traitsOf(profile),
    };
  });
}

/** Sizes of all files with their overhead, and all PEs that make none: keys, codes, applications. */
function memoryEstimate(profile: ProfilePackage): number {
  const { files } = fileSystemOf(profile);
  const fileOctets = files
    .filter(({ view }) => view.created && !view.linked)
    .reduce((sum, { view }) => sum + FILE_OVERHEAD + (view.size ?? 0), 0);
  const fileMakers = new Set(files.map(({ place }) => place));
  const others = profile.elements.filter((_, place) => !fileMakers.has(place));
  return fileOctets + others.reduce((sum, { raw }) => sum + raw.length, 0);
}

const EF_FILE_SIZE = 0x80;

function traitsOf(profile: ProfilePackage): ReadonlySet<PackageTrait> {
  const { files } = fileSystemOf(profile);
  const has: Readonly<Record<PackageTrait, boolean>> = {
    'one-octet-ef-file-size': files.some(
      ({ fcp }) => fcp !== undefined && child(fcp.fields, EF_FILE_SIZE)?.value.length === 1,
    ),
    'empty-fcp': files.some(({ fcp }) => fcp?.fields.length === 0),
    'ber-tlv-file': files.some(({ view }) => view.created && view.structure === 'ber-tlv'),
    'df-link': files.some(({ view, directory }) => view.linked && directory !== undefined),
    application: profile.elements.some(({ name }) => name === 'application'),
  };
  return new Set(PACKAGE_TRAITS.filter((trait) => has[trait]));
}

/** Features that a package uses without making their service mandatory. */
const TRAIT_SERVICES: readonly (readonly [PackageTrait, ServiceName])[] = [
  ['ber-tlv-file', 'ber-tlv'],
  ['df-link', 'dfLink'],
  ['application', 'javacard'],
];

/** Would this package install on this eUICC? */
export function preflight(
  prepared: PreparedPreflight,
  info: EuiccInfo2,
  quirks: readonly EuiccQuirk[],
): readonly PreflightFinding[] {
  const { services, iotMinimal, traits } = prepared;
  const lacks = (bit: number) => !info.uiccCapability.has(bit);
  const missing = services.filter((service) => lacks(capabilityBit(service)));
  const used = TRAIT_SERVICES.filter(
    ([trait, service]) => traits.has(trait) && !services.includes(service) && lacks(capabilityBit(service)),
  );
  return [
    ...versionFindings(prepared, info),
    ...missing.map((service) => error('service', `mandatory service ${service} is missing`)),
    ...(iotMinimal && lacks(IOT_MINIMAL_CAPABILITY_BIT)
      ? [error('service', 'IoT minimal profiles are not supported')]
      : []),
    ...used.map(([trait, service]) =>
      warning(
        'feature',
        `the package has a ${trait}, and ${service} is missing: what is mandated fails, the rest is left out`,
      ),
    ),
    ...memoryFindings(prepared, info),
    ...quirks
      .filter((quirk) => traits.has(quirk.package) && matches(quirk, info))
      .map(({ id, says, wayOut }) => warning(`quirk:${id}`, `${says}. ${wayOut}`)),
  ];
}

const error = (code: string, message: string): PreflightFinding => ({ severity: 'error', code, message });
const warning = (code: string, message: string): PreflightFinding => ({ severity: 'warning', code, message });

function versionFindings(
  { majorVersion: major, minorVersion: minor }: PreparedPreflight,
  { profileVersion, additionalProfilePackageVersions: others }: EuiccInfo2,
): readonly PreflightFinding[] {
  const versions = [profileVersion, ...others].map((text) => text.split('.').map(Number));
  const same = versions.filter(([theirs]) => theirs === major);
  const supported = [profileVersion, ...others].join(', ');
  if (same.length === 0)
    return [
      error('version', `the package has version ${major}.${minor}, and the eUICC supports ${supported}`),
    ];
  return same.some(([, theirs = 0]) => theirs >= minor)
    ? []
    : [
        warning(
          'version',
          `the package has version ${major}.${minor}, newer than ${supported}: what is new in it is left out`,
        ),
      ];
}

function memoryFindings(
  { memory }: PreparedPreflight,
  { extCardResource }: EuiccInfo2,
): readonly PreflightFinding[] {
  const free = extCardResource.freeNonVolatileMemory;
  if (free === undefined) return [warning('memory', 'EuiccInfo2 does not say how much memory is free')];
  if (free < memory)
    return [error('memory', `${free} octets are free, and the profile needs at least ${memory}`)];
  return free < memory * MARGIN
    ? [
        warning(
          'memory',
          `${free} octets are free, and the profile needs at least ${memory}: not all eUICCs store it so densely`,
        ),
      ]
    : [];
}

function matches({ euicc }: EuiccQuirk, info: EuiccInfo2): boolean {
  const begins = (asked: string | undefined, said: string | undefined) =>
    asked === undefined || (said?.startsWith(asked) ?? false);
  return (
    begins(euicc.profileVersion, info.profileVersion) &&
    begins(euicc.euiccFirmwareVer, info.euiccFirmwareVer) &&
    begins(euicc.sasAcreditationNumber, info.sasAcreditationNumber) &&
    begins(euicc.platformLabel, info.certificationDataObject?.platformLabel)
  );
}
