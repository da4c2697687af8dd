import { refuse } from '../../errors.ts';
import { ifPresent } from '../../present.ts';
import type { DeviceDetail, DeviceKey, HistoryEntry, ProfileDetail } from '../api/ops.ts';
import type { Context } from '../context.ts';
import { einOf } from '../counts/ein.ts';
import { type EuiccRecord, euiccRecord, parseItemName } from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';
import { transactionId } from '../records/transaction-id.ts';
import { boundOf, profileAt } from './profiles.ts';
import { iso } from './times.ts';

/** Profiles of one eUICC that an answer tells of: it has at most as many as one-time keys. */
const PROFILES = 256;

/** An eUICC: its one-time keys, the profiles that were bound for it, and their whole history. */
export async function findDevice(context: Context, { eid }: { eid: string }): Promise<DeviceDetail> {
  const item = await context.ledger.get(ledgerKeys.euicc(eid));
  if (item === undefined)
    refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
  const euicc = euiccRecord.from(item);
  const profiles = await profilesOf(context, euicc);
  const byTransaction = new Map(profiles.map((profile) => [profile.transactionId, profile]));
  return {
    eid,
    ein: einOf(eid),
    suite: euicc.suite,
    ciPkId: euicc.ciPkId,
    notAfter: iso(euicc.notAfter),
    ...ifPresent(euicc.revokedAt, (at) => ({ revokedAt: iso(at) })),
    deviceManufacturers: euicc.deviceMakers,
    keys: euicc.keys.map((key) => deviceKey(key, byTransaction)),
    profiles,
    history: profiles
      .flatMap(({ history }): readonly HistoryEntry[] => history)
      .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
  };
}

/** The profiles behind its claims: of each order the items that hold a profile, as far as a commit stands behind them. */
async function profilesOf(context: Context, euicc: EuiccRecord): Promise<ProfileDetail[]> {
  const names = new Set([
    ...Object.values(euicc.orders).flat(),
    ...euicc.keys.flatMap(({ by }) => (by === undefined ? [] : [by])),
  ]);
  const profiles: ProfileDetail[] = [];
  for (const name of [...names].slice(0, PROFILES)) {
    const found = await boundOf(context, transactionOf(name));
    if (found !== undefined) profiles.push(await profileAt(context, found.job.orderId, found.bound.position));
  }
  return profiles;
}

const transactionOf = (name: string) => {
  const { jobId, index } = parseItemName(name);
  return transactionId(jobId, index);
};

function deviceKey(
  { keyId, state, by }: EuiccRecord['keys'][number],
  profiles: ReadonlyMap<string | undefined, ProfileDetail>,
): DeviceKey {
  const transaction = ifPresent(by, (name) => transactionOf(name).toUpperCase());
  const profile = profiles.get(transaction);
  const named = {
    keyId: keyId.toUpperCase(),
    ...(transaction !== undefined && { transactionId: transaction }),
  };
  if (state !== 'claimed') return { ...named, state };
  if (profile === undefined) return { ...named, state: 'claimed' };
  return { ...named, state: isSettled(profile) ? 'used' : 'bound' };
}

/** The eUICC, or the FPA, has said what became of it. */
const isSettled = ({ state }: ProfileDetail) => state !== 'Bound' && state !== 'Delivered';
