import type { KeyObject } from 'node:crypto';
import { type Bytes, wipe } from '../../codec/bytes.ts';
import { completeIccid } from '../../codec/iccid.ts';
import { Fault, refuse } from '../../errors.ts';
import { type PackEntry, packEntryHash } from '../../profile/pack.ts';
import type { Finding } from '../../profile/package/checks/finding.ts';
import { checkMetadata } from '../../profile/package/checks/metadata.ts';
import { inProfile } from '../../profile/package/element.ts';
import type { ProfileValues } from '../../profile/package/parameter.ts';
import type { MadeProfile } from '../../profile/package/profile-maker.ts';
import { generatePpk, wipePpk } from '../../profile/ppk.ts';
import { sealPpk } from '../../profile/ppk-seal.ts';
import { protectProfile } from '../../profile/protect.ts';
import { inRow, type Row, refuseRow } from '../../profile/rows/row.ts';
import { encodeStoreMetadata, type StoreMetadataRequest } from '../../rsp/store-metadata.ts';
import type { Personaliser } from './personalisation.ts';

/** Makes the profile of a row, to see whether it can be made, and forgets it: refuses with row number and column. */
export function tryProfile(personaliser: Personaliser, number: number, values: ProfileValues): void {
  const metadata = inRow(number, () => personaliser.metadata(completeIccid(String(values.iccid))));
  wipe(made(personaliser, number, values, metadata).upp);
}

/** A profile as its pack holds it. */
export interface ProtectedProfile {
  readonly iccid: string;
  /** Of the row and drawn here, secrets among them: for the output rows, and forgotten with them. */
  readonly values: ProfileValues;
  readonly entry: PackEntry;
  /** Under the pack's data key: shared/profile/ppk-seal.ts. */
  readonly sealedPpk: Bytes;
}

/** Makes the profile of a row: personalised, read back, at once protected under its own PPK and forgotten in clear. */
export function protectedProfile(
  personaliser: Personaliser,
  row: Row,
  { dataKey, ...place }: { dataKey: KeyObject; orderId: string; position: number },
): ProtectedProfile {
  const values = personaliser.complete(row.values);
  const iccid = completeIccid(String(values.iccid));
  const metadata = personaliser.metadata(iccid);
  const upp = auditedProfile(personaliser, row.number, values, metadata);
  const ppk = generatePpk(personaliser.random);
  try {
    const entry = { metadata: encodeStoreMetadata(metadata), segments: protectProfile(upp, ppk) };
    const sealedPpk = sealPpk(
      dataKey,
      ppk,
      { ...place, iccid, entry: packEntryHash(entry) },
      personaliser.random,
    );
    return { iccid, values, entry, sealedPpk };
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
  const { upp, differing } = made(personaliser, number, values, metadata);
  const parameter = unlessThrown(upp, differing);
  if (parameter === undefined) return upp;
  wipe(upp);
  throw new Fault('invariant', `row ${number}: the profile does not hold what was given for ${parameter}`);
}

function made(
  { maker, template }: Personaliser,
  number: number,
  values: ProfileValues,
  metadata: StoreMetadataRequest,
): MadeProfile {
  const profile = inRow(number, () => maker.make(values));
  const error = unlessThrown(profile.upp, () =>
    inProfile(() => checkMetadata(template.base, metadata, profile.placed)).find(
      ({ severity }) => severity === 'error',
    ),
  );
  if (error === undefined) return profile;
  wipe(profile.upp);
  return refuseFinding(error, number, template.parameters);
}

/** What is in clear is wiped also where looking at it fails. */
function unlessThrown<T>(upp: Bytes, look: () => T): T {
  try {
    return look();
  } catch (error) {
    wipe(upp);
    throw error;
  }
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
