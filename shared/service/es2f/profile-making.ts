import { hash, type KeyObject } from 'node:crypto';
import { type Bytes, orWipe, wipe } from '../../codec/bytes.ts';
import { completeIccid } from '../../codec/iccid.ts';
import { Fault, refuse } from '../../errors.ts';
import type { PackWriter } from '../../profile/pack.ts';
import type { Finding } from '../../profile/package/checks/finding.ts';
import { metadataError } from '../../profile/package/checks/metadata.ts';
import { inProfile } from '../../profile/package/element.ts';
import type { ProfileValues } from '../../profile/package/parameter.ts';
import type { MadeProfile } from '../../profile/package/profile-maker.ts';
import { generatePpk, wipePpk } from '../../profile/ppk.ts';
import { sealPpk } from '../../profile/ppk-seal.ts';
import { uppSegmentsLength, writeProtected } from '../../profile/protect.ts';
import { inRow, type Row, refuseRow } from '../../profile/rows/row.ts';
import type { StoreMetadataRequest } from '../../rsp/store-metadata.ts';
import type { OutputRows } from './output-rows.ts';
import type { Personaliser } from './personalisation.ts';

/** Sees whether the profile of a row can be made, and forgets it: refuses with row number and column. */
export function tryProfile(personaliser: Personaliser, number: number, values: ProfileValues): void {
  const metadata = inRow(number, () => personaliser.metadata(completeIccid(String(values.iccid))));
  const tried = inRow(number, () => personaliser.maker.tried(values));
  wipe(agreeing(personaliser, number, tried, metadata).upp);
}

/** A profile that stands in its pack. */
export interface ProtectedProfile {
  readonly iccid: string;
  /** Under the pack's data key: shared/profile/ppk-seal.ts. */
  readonly sealedPpk: Bytes;
}

/** Which profile of which order it is, and what its PPK is sealed under. */
interface PlaceOfProfile {
  readonly dataKey: KeyObject;
  readonly orderId: string;
  readonly position: number;
}

/**
 * Makes the profile of a row: personalised, read back, at once protected into its pack under its own PPK, told to the Operator's
 * output rows where the order has them, and forgotten in clear, with the keys that were drawn for it.
 */
export function protectedProfile(
  personaliser: Personaliser,
  row: Row,
  pack: PackWriter,
  place: PlaceOfProfile,
  output?: OutputRows,
): ProtectedProfile {
  const values = personaliser.complete(row.values);
  try {
    const profile = sealedProfile(personaliser, row.number, values, pack, place);
    output?.add(values, profile.iccid);
    return profile;
  } finally {
    forgetValues(values);
  }
}

/** Wipes what of the values is octets: keys that were drawn. */
function forgetValues(values: ProfileValues): void {
  for (const name of Object.keys(values)) {
    const value = values[name];
    if (value instanceof Uint8Array) wipe(value);
  }
}

function sealedProfile(
  personaliser: Personaliser,
  number: number,
  values: ProfileValues,
  pack: PackWriter,
  { dataKey, ...place }: PlaceOfProfile,
): ProtectedProfile {
  const iccid = completeIccid(String(values.iccid));
  const metadata = personaliser.metadata(iccid);
  const upp = auditedProfile(personaliser, number, values, metadata);
  const ppk = generatePpk(personaliser.random);
  try {
    const entry = pack.add(personaliser.encodedMetadata(iccid), uppSegmentsLength(upp.length), (out) =>
      writeProtected(upp, ppk, out),
    );
    const sealed = { ...place, iccid, entry: hash('sha256', entry, 'buffer') };
    return { iccid, sealedPpk: sealPpk(dataKey, ppk, sealed, personaliser.random) };
  } finally {
    wipe(upp);
    wipePpk(ppk);
  }
}

/**
 * The profile of a row in clear, held against the metadata that will stand beside it and read back from its octets:
 * a value that is not there is our own fault. The caller wipes what it gets.
 */
function auditedProfile(
  personaliser: Personaliser,
  number: number,
  values: ProfileValues,
  metadata: StoreMetadataRequest,
): Bytes {
  const made = inRow(number, () => personaliser.maker.make(values));
  const { upp, differing } = agreeing(personaliser, number, made, metadata);
  const parameter = orWipe(upp, differing);
  if (parameter === undefined) return upp;
  wipe(upp);
  throw new Fault('invariant', `row ${number}: the profile does not hold what was given for ${parameter}`);
}

/** The profile, unless the metadata that will stand beside it say something else. */
function agreeing<Made extends Pick<MadeProfile, 'upp' | 'placed'>>(
  { template }: Personaliser,
  number: number,
  profile: Made,
  metadata: StoreMetadataRequest,
): Made {
  // what is in clear is wiped also where looking at it fails
  const error = orWipe(profile.upp, () =>
    inProfile(() => metadataError(template.base, metadata, profile.placed)),
  );
  if (error === undefined) return profile;
  wipe(profile.upp);
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
