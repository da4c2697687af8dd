import { refuse } from '../../errors.ts';
import { ownMember } from '../../own-member.ts';
import type { Context } from '../context.ts';
import { type EuiccRecord, itemName, type OneTimeKeyRecord, parseItemName } from '../records/euicc.ts';
import { chunkRecord, isBound, jobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';

/**
 * Claims: a request item takes a one-time key and the EID's place in the order by writing its own name, (job, index),
 * into the eUICC's record. A repeat finds its own name. A name that was left behind by an item that was refused in
 * the end, or never committed, may be taken over; a name that a commit stands behind never.
 */
export interface WantedKey {
  readonly orderId: string;
  readonly keyId: string | undefined;
  readonly additional: boolean;
}

export interface Claim {
  readonly key: OneTimeKeyRecord;
  /** The record with the claim in it; the same object if the claim was there already. */
  readonly euicc: EuiccRecord;
}

/** How a claim of another item stands. `pending`: its chunk is not committed yet. */
export type ClaimStanding = 'bound' | 'pending' | 'refused';

/** How the claim of the item with this name stands. */
export type ClaimStandings = (name: string) => Promise<ClaimStanding>;

/** Works on a record in memory; the caller writes it on condition that nothing changed. */
export async function claim(
  name: string,
  wanted: WantedKey,
  euicc: EuiccRecord,
  standingOf: ClaimStandings,
): Promise<Claim> {
  // what came after an own claim, such as an additional profile for the same EID, does not undo it
  const own = euicc.keys.find((key) => key.state === 'claimed' && key.by === name);
  if (own !== undefined) return { key: own, euicc };
  const holders = await liveHolders(ownMember(euicc.orders, wanted.orderId) ?? [], name, standingOf);
  if (holders.length > 0 && !wanted.additional) {
    refuse(
      'noNewBinding',
      'the eUICC has a profile of this order; ask for an additional one or repeat the first request',
    );
  }

  const key = await freeKey(euicc, wanted.keyId, standingOf);
  const claimed: OneTimeKeyRecord = { ...key, state: 'claimed', by: name };
  return {
    key: claimed,
    euicc: {
      ...euicc,
      keys: euicc.keys.map((other) => (other.keyId === key.keyId ? claimed : other)),
      orders: { ...euicc.orders, [wanted.orderId]: [...holders, name] },
    },
  };
}

async function liveHolders(names: readonly string[], own: string, standingOf: ClaimStandings) {
  const live: string[] = [];
  for (const name of names) if (name !== own && (await standingOf(name)) !== 'refused') live.push(name);
  return live;
}

async function freeKey(
  euicc: EuiccRecord,
  keyId: string | undefined,
  standingOf: ClaimStandings,
): Promise<OneTimeKeyRecord> {
  const isFree = async (key: OneTimeKeyRecord) =>
    key.state === 'free' || (key.state === 'claimed' && (await standingOf(key.by!)) === 'refused');
  if (keyId !== undefined) {
    const key = euicc.keys.find((candidate) => candidate.keyId === keyId);
    if (key === undefined) refuse('oneTimeKeyUnknown', `the eUICC has no one-time key ${keyId}`);
    if (!(await isFree(key)))
      refuse('oneTimeKeyInUse', `one-time key ${keyId} is ${key.state === 'closed' ? 'closed' : 'taken'}`);
    return key;
  }
  for (const key of euicc.keys) if (await isFree(key)) return key;
  return refuse('oneTimeKeyUnavailable', 'the eUICC has no unused one-time key left');
}

/** Looks up how other items' claims stand, each chunk read once. */
export function claimStandings({ ledger }: Pick<Context, 'ledger'>): ClaimStandings {
  const chunks = new Map<string, Promise<ClaimStanding[] | undefined>>();
  const jobs = new Map<string, Promise<number | undefined>>();
  return async (name) => {
    const { jobId, index } = parseItemName(name);
    let chunkSize = jobs.get(jobId);
    if (chunkSize === undefined) {
      chunkSize = ledger.get(ledgerKeys.job(jobId)).then((item) => item && jobRecord.from(item).chunkSize);
      jobs.set(jobId, chunkSize);
    }
    const size = await chunkSize;
    if (size === undefined) return 'pending';
    const chunk = Math.floor(index / size);
    const chunkName = itemName(jobId, chunk);
    let outcomes = chunks.get(chunkName);
    if (outcomes === undefined) {
      outcomes = ledger
        .get(ledgerKeys.chunk(jobId, chunk))
        .then(
          (item) =>
            item &&
            chunkRecord.from(item).outcomes.map((outcome) => (isBound(outcome) ? 'bound' : 'refused')),
        );
      chunks.set(chunkName, outcomes);
    }
    return (await outcomes)?.[index % size] ?? 'pending';
  };
}
