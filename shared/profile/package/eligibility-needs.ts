import type { Bytes } from '../../codec/bytes.ts';
import { headerOf } from './header.ts';
import { decodePackage } from './profile-element.ts';
import { capabilityBit, IOT_MINIMAL_CAPABILITY_BIT, type ServiceName } from './services.ts';

/** What an eUICC must be able to do for this profile, as far as the package itself says. */
export interface EligibilityNeeds {
  readonly iccid: string;
  /** Version of the interoperable format that the package follows. */
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly mandatoryServices: readonly ServiceName[];
  /** Bits of UICCCapability (EuiccInfo2), ascending; one that is not announced makes the eUICC ineligible. */
  readonly capabilityBits: readonly number[];
  /** Component numbers of mandatory services that this version does not know: no eUICC can be called eligible. */
  readonly unknownServices: readonly number[];
  /** eUICC-Mandatory-GFSTEList, dotted. */
  readonly mandatoryTemplates: readonly string[];
  readonly iotMinimal: boolean;
  /** Non-volatile memory in octets, at least: the length of the package. File systems need more. */
  readonly estimatedSize: number;
}

export function eligibilityNeeds(upp: Bytes): EligibilityNeeds {
  const header = headerOf(decodePackage(upp));
  const bits = new Set(header.mandatoryServices.map(capabilityBit));
  if (header.iotMinimal) bits.add(IOT_MINIMAL_CAPABILITY_BIT);
  return {
    iccid: header.iccid,
    majorVersion: header.majorVersion,
    minorVersion: header.minorVersion,
    mandatoryServices: header.mandatoryServices,
    capabilityBits: [...bits].sort((a, b) => a - b),
    unknownServices: header.unknownServices,
    mandatoryTemplates: header.mandatoryTemplates,
    iotMinimal: header.iotMinimal,
    estimatedSize: upp.length,
  };
}
