import type { Bytes } from '../../codec/bytes.ts';
import { tagName } from '../../codec/tlv.ts';
import { headerOf } from './header.ts';
import { decodePackage, type PeName } from './profile-element.ts';
import type { ServiceName } from './services.ts';

export interface PeSummary {
  /** Hexadecimal, such as `A0` or `BF20`. */
  readonly tag: string;
  readonly name: PeName;
  readonly identification: number | undefined;
  readonly mandated: boolean;
  /** Of the tag in the package. */
  readonly offset: number;
  /** Of tag, length and value, in octets. */
  readonly length: number;
}

/** What may be shown of a package: no file content, no key, no PIN. */
export interface UppSummary {
  readonly iccid: string;
  readonly profileType: string | undefined;
  /** `major.minor` of the interoperable format. */
  readonly version: string;
  readonly mandatoryServices: readonly ServiceName[];
  readonly mandatoryTemplates: readonly string[];
  /** In octets. */
  readonly length: number;
  readonly elements: readonly PeSummary[];
}

export function uppSummary(upp: Bytes): UppSummary {
  const profile = decodePackage(upp);
  const header = headerOf(profile);
  return {
    iccid: header.iccid,
    profileType: header.profileType,
    version: `${header.majorVersion}.${header.minorVersion}`,
    mandatoryServices: header.mandatoryServices,
    mandatoryTemplates: header.mandatoryTemplates,
    length: upp.length,
    elements: profile.elements.map(({ tag, name, identification, mandated, offset, raw }) => ({
      tag: tagName(tag),
      name,
      identification,
      mandated,
      offset,
      length: raw.length,
    })),
  };
}
