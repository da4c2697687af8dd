import { type Bytes, wipe } from '../../codec/bytes.ts';
import { Fault, refuse } from '../../errors.ts';
import { auditPersonalisation } from '../../profile/package/audit.ts';
import type { Finding } from '../../profile/package/checks/finding.ts';
import { checkMetadata } from '../../profile/package/checks/metadata.ts';
import { inProfile } from '../../profile/package/element.ts';
import type { ProfileValues } from '../../profile/package/parameter.ts';
import { personalise } from '../../profile/package/personalise.ts';
import { decodePackage, type ProfilePackage } from '../../profile/package/profile-element.ts';
import { inRow, refuseRow } from '../../profile/rows/row.ts';
import type { StoreMetadataRequest } from '../../rsp/store-metadata.ts';
import type { Personaliser } from './personalisation.ts';

/** Makes the profile of a row, to see whether it can be made, and forgets it: refuses with row number and column. */
export function tryProfile(
  personaliser: Personaliser,
  number: number,
  values: ProfileValues,
  metadata: StoreMetadataRequest,
): void {
  wipe(made(personaliser, number, values, metadata).upp);
}

/**
 * The profile of a row in clear, held against the metadata that will stand beside it and read back from its octets:
 * a value that is not there is our own fault. The caller wipes what it gets.
 */
export function auditedProfile(
  personaliser: Personaliser,
  number: number,
  values: ProfileValues,
  metadata: StoreMetadataRequest,
): Bytes {
  const { upp, profile } = made(personaliser, number, values, metadata);
  const findings = auditPersonalisation(profile, values, personaliser.template);
  const differing = findings.find(({ code }) => code === 'differs');
  if (differing === undefined) return upp;
  wipe(upp);
  throw new Fault(
    'invariant',
    `row ${number}: the profile does not hold what was given for ${differing.parameter}`,
  );
}

function made(
  { template }: Personaliser,
  number: number,
  values: ProfileValues,
  metadata: StoreMetadataRequest,
): { upp: Bytes; profile: ProfilePackage } {
  const upp = inRow(number, () => personalise(template, values));
  const profile = decodePackage(upp);
  const error = inProfile(() => checkMetadata(profile, metadata)).find(
    ({ severity }) => severity === 'error',
  );
  if (error === undefined) return { upp, profile };
  wipe(upp);
  return refuseFinding(error, number, template.parameters);
}

/** Refuses a profile for what is wrong with it: in the name of the column where that is to blame. */
export function refuseFinding(
  { code, message, parameter }: Finding,
  number: number,
  columns: readonly string[],
): never {
  const status = code.startsWith('metadata') ? 'metadataInvalid' : 'profileInvalid';
  if (parameter !== undefined && columns.includes(parameter))
    return refuseRow(status, number, parameter, message);
  return refuse(status, message, { subjectIdentifier: code });
}
