import type { Bytes } from '../../codec/bytes.ts';
import { unlessRefused } from '../../errors.ts';
import type { PackageDraft } from './draft.ts';
import { imsIdentities } from './ef/ims-identity.ts';
import { accessControlClass, decodeImsi } from './ef/imsi.ts';
import { mncLengthOfAd, mncLengthOfMcc } from './ef/mnc-length.ts';
import { fileImage } from './files.ts';
import { type BoundParameter, type ProfileValues, refuseParameter } from './parameter.ts';
import { type FileSite, fileSites } from './parameters/file-site.ts';
import { mncLengthInput } from './parameters/mnc-length.ts';
import { parameterNamed } from './parameters.ts';
import type { ProfilePackage } from './profile-element.ts';

const ISIM_IDENTITIES = ['impi', 'impu', 'domain'] as const;
const USIM = ['usim', 'iot'] as const;

/** What is derived, and what must agree with it. */
export interface DerivationOptions {
  /** Set the identities of the ISIM that are not given. */
  readonly isim: boolean;
  /** MCC and MNC of the profile owner, 5 or 6 digits. */
  readonly ownerMccMnc?: string | undefined;
}

/** Parameters that follow from the IMSI where the row does not give them. */
export interface DerivedParameters {
  readonly names: readonly string[];
  /** From the files as they are once everything that was given is written. */
  values(given: ProfileValues, files: DerivationFiles): ProfileValues;
}

/** The installed content of a file of the template, in the profile that is being made or in one that was made. */
export type DerivationFiles = (site: FileSite) => Bytes | undefined;

export const filesOfDraft =
  (draft: PackageDraft): DerivationFiles =>
  (site) =>
    fileImage(site.current(draft));

/** What a profile that was made must hold; nothing where its files do not tell. */
export function derivedFrom(
  derived: DerivedParameters,
  given: ProfileValues,
  profile: ProfilePackage,
): ProfileValues {
  return unlessRefused(() => derived.values(given, (site) => storedImage(site, profile))) ?? {};
}

const NOTHING: DerivedParameters = { names: [], values: () => ({}) };

/**
 * EF.ACC follows the IMSI, whichever parameter writes EF.IMSI. With `isim`, so do the identities of the ISIM (3GPP TS
 * 23.003 section 13): the length of the MNC is the one given, or that of EF.AD as the row leaves it, and it is held
 * against the owner and the country.
 */
export function derivedParameters(
  profile: ProfilePackage,
  given: readonly BoundParameter[],
  { isim, ownerMccMnc }: DerivationOptions,
): DerivedParameters {
  const written = new Set(given.flatMap(({ targets }) => targets.map((target) => target.split('#')[0])));
  const [imsi] = sites('imsi', profile, 'ef-imsi');
  if (imsi === undefined || !written.has(imsi.target)) {
    if (isim) refuseParameter('imsi', 'is needed to derive the identities of the ISIM');
    return NOTHING;
  }
  const isGiven = (name: string) =>
    parameterNamed(name)
      .bind(profile)
      .targets.every((target) => written.has(target));
  const [acc] = sites('acc', profile, 'ef-acc');
  const names = [
    ...(acc === undefined || written.has(acc.target) ? [] : ['acc']),
    ...(isim ? ISIM_IDENTITIES.filter((name) => !isGiven(name)) : []),
  ];
  const identities = ISIM_IDENTITIES.filter((name) => names.includes(name));
  const [ad] = sites('mncLength', profile, 'ef-ad');
  return {
    names,
    values(values, files) {
      const digits = unlessRefused(() => decodeImsi(files(imsi) ?? Buffer.alloc(0)));
      if (digits === undefined || digits.length < 6)
        return refuseParameter('imsi', 'EF.IMSI does not hold an IMSI of at least six digits');
      const acc = names.includes('acc') ? { acc: accessControlClass(digits) } : {};
      if (identities.length === 0) return acc;
      const inAd = ad === undefined ? undefined : mncLengthOfAd(files(ad));
      const all = imsIdentities(digits, lengthOf(digits, values, inAd, ownerMccMnc));
      return { ...acc, ...Object.fromEntries(identities.map((name) => [name, all[name]])) };
    },
  };
}

/** Files that the template lists or makes; none where it has no such file at all. */
function sites(parameter: string, profile: ProfilePackage, file: string): readonly FileSite[] {
  return unlessRefused(() => fileSites(parameter, profile, USIM, file)) ?? [];
}

/** The installed content of a file in a package of the template's shape; undefined where it is not. */
export function storedImage(site: FileSite, profile: ProfilePackage): Bytes | undefined {
  const view = site.stored(profile);
  return view && fileImage(view);
}

const WAY_OUT = 'give mncLength (2 or 3) as a column, or as the option --mnc-length';

/** Refuses where nothing says the length, or what says it does not agree. */
function lengthOf(
  imsi: string,
  { mncLength }: ProfileValues,
  inAd: 2 | 3 | undefined,
  ownerMccMnc: string | undefined,
): 2 | 3 {
  const asked = mncLength === undefined ? undefined : mncLengthInput(mncLength);
  const length = asked ?? inAd;
  const owned = ownerMccMnc === undefined ? undefined : ownerMccMnc.length - 3;
  if (length === undefined)
    return refuseParameter('mncLength', `nothing says whether the MNC has two or three digits; ${WAY_OUT}`);
  if (owned !== undefined && owned !== length)
    refuseParameter(
      'mncLength',
      `the MNC of the owner has ${owned} digits, and EF.AD says ${length}; ${WAY_OUT}`,
    );
  const usual = mncLengthOfMcc(imsi.slice(0, 3));
  if (asked === undefined && owned === undefined && usual !== undefined && usual !== length)
    refuseParameter(
      'mncLength',
      `EF.AD says that the MNC has ${length} digits, and networks of MCC ${imsi.slice(0, 3)} have ${usual}; ${WAY_OUT}`,
    );
  return length;
}
