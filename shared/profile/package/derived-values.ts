import { imsIdentities } from './ef/ims-identity.ts';
import { accessControlClass } from './ef/imsi.ts';
import { fileSystemOf, filesNamed } from './file-system.ts';
import { fileImage } from './files.ts';
import { type ProfileValues, refuseParameter } from './parameter.ts';
import type { ProfilePackage } from './profile-element.ts';

const ISIM_IDENTITIES = ['impi', 'impu', 'domain'] as const;

/** Parameters that follow from the IMSI when the row does not give them. */
export type Derivation = (values: ProfileValues) => ProfileValues;

export interface DerivedParameters {
  readonly names: readonly string[];
  readonly values: Derivation;
}

/**
 * EF.ACC always follows the IMSI. With `isim`, so do the identities of the ISIM (3GPP TS 23.003 section 13), the
 * length of the MNC being that of the template's EF.AD.
 */
export function derivedParameters(
  profile: ProfilePackage,
  given: readonly string[],
  isim: boolean,
): DerivedParameters {
  if (!given.includes('imsi')) {
    if (isim) refuseParameter('imsi', 'is needed to derive the identities of the ISIM');
    return { names: [], values: () => ({}) };
  }
  const acc = !given.includes('acc');
  const identities = isim ? ISIM_IDENTITIES.filter((name) => !given.includes(name)) : [];
  const mnc = identities.length > 0 ? mncLength(profile) : 2;
  return {
    names: [...(acc ? ['acc'] : []), ...identities],
    values({ imsi }) {
      if (typeof imsi !== 'string' || !/^[0-9]{6,15}$/.test(imsi)) return {};
      const all = imsIdentities(imsi, mnc);
      return {
        ...(acc ? { acc: accessControlClass(imsi) } : {}),
        ...Object.fromEntries(identities.map((name) => [name, all[name]])),
      };
    },
  };
}

/** Octet 4 of the USIM's EF.AD (3GPP TS 31.102 section 4.2.18): 2 or 3. */
export function mncLength(profile: ProfilePackage): number {
  const [ad] = filesNamed(fileSystemOf(profile), ['usim', 'iot'], 'ef-ad');
  const length = ad === undefined ? undefined : (fileImage(ad.view)[3] ?? 0) & 0x0f;
  return length === 3 ? 3 : 2;
}
