import { type Bytes, equal, fromHex } from '../../codec/bytes.ts';
import { mapConcurrently } from '../../concurrency.ts';
import { keyIdentifier } from '../../crypto/ec-key-forms.ts';
import type { OneTimeKey } from '../../crypto/suite.ts';
import { Fault, Refusal } from '../../errors.ts';
import { bppItemPieces } from '../../ifpp-draft1/bpp-batch.ts';
import type { UseOptions } from '../../keys/provider.ts';
import type { SigningKey } from '../../keys/registry.ts';
import { bindProfile } from '../../profile/bind.ts';
import { wipePpk } from '../../profile/ppk.ts';
import type { Context } from '../context.ts';
import type { ItemOutcome } from '../records/job.ts';
import { transactionId } from '../records/transaction-id.ts';
import { PackReader, type StoredProfile } from '../supply/packs.ts';
import type { DpBinding } from '../trust/trust.ts';
import type { JobChunk } from './chunk-items.ts';
import { type ClaimedItem, isClaimed, type RefusedItem, type SettledItem } from './claim-items.ts';
import { chainIndexes } from './job-chains.ts';
import { oneTimeKeysOf } from './one-time-keys.ts';

/** A BppItem as the answer will hold it, and what the commit says of it. */
interface BppElement {
  /** Its octets, in pieces. */
  readonly element: readonly Bytes[];
  readonly outcome: ItemOutcome;
}

interface BoundItems {
  /** Of each item its octets, in pieces. */
  readonly elements: readonly (readonly Bytes[])[];
  readonly outcomes: readonly ItemOutcome[];
  /** Once the elements were copied. */
  release(): void;
}

/**
 * Binds the profiles of claimed items and tells of the refused ones, in the order of the items. Undefined where a PPK
 * is gone: it goes after a commit or a cancellation, so somebody was faster, and the next look will tell who. With
 * `ppksAreLost` nobody was: such an item is refused, as one whose profile is damaged, with an alarm. `release` gives the memory back of what
 * was read for the elements, which may be views of it.
 */
export async function bindItems(
  context: Context,
  { jobId, job }: JobChunk,
  settled: readonly SettledItem[],
  { ppksAreLost, ...use }: UseOptions & { readonly ppksAreLost: boolean },
): Promise<BoundItems | undefined> {
  const claimed = settled.filter(isClaimed);
  const positions = claimed.map(({ position }) => position);
  const packs = new PackReader(context, job.orderId);
  const profiles = await packs.read(positions, use);
  try {
    const keyless = [...profiles.values()].filter(({ kind }) => kind === 'keyless');
    if (keyless.length > 0 && !ppksAreLost) return undefined;
    for (const { iccid } of keyless)
      context.log({ event: 'alarm.object.damaged', object: 'ppks', order: job.orderId, iccid });
    const chains = await chainIndexes(
      context,
      jobId,
      claimed.map(({ dp }) => dp),
    );
    const otPks = await oneTimeKeysOf(context.ledger, claimed);
    const bind = async (one: SettledItem) => {
      if (!isClaimed(one)) return refusedElement(one);
      const profile = profiles.get(one.position)!;
      if (profile.kind !== 'whole') return damagedElement(one, profile.iccid);
      return await boundElement(context, jobId, one, otPks.get(one)!, profile, chains.get(one.dp)!, use);
    };
    const results = await mapConcurrently(settled, context.settings.signConcurrency, bind);
    return {
      elements: results.map(({ element }) => element),
      outcomes: results.map(({ outcome }) => outcome),
      release: () => packs.release(),
    };
  } finally {
    for (const profile of profiles.values()) if (profile.kind === 'whole') wipePpk(profile.ppk);
  }
}

/** `chain`: the place of our certificate chain in the job's list. */
async function boundElement(
  context: Context,
  jobId: string,
  { index, item: { itemId, eid }, position, euicc, key, dp }: ClaimedItem,
  otPk: OneTimeKey,
  { iccid, entry, ppk }: Extract<StoredProfile, { kind: 'whole' }>,
  chain: number,
  use: UseOptions,
): Promise<BppElement> {
  const signer = await signerFor(context, dp);
  const id = transactionId(jobId, index);
  const bpp = await bindProfile({
    eid,
    euiccOtpk: otPk,
    metadataDer: entry.metadata,
    transactionId: fromHex(id),
    hostId: context.settings.hostId,
    payload: { mode: 'ppk', segments: entry.segments, ppk },
    sign: async (digest) => signer.signSync?.(digest) ?? (await signer.sign(digest, use)),
  });
  const common = { keyId: key.keyId, iccid, chain };
  const outcome = { kind: 'bound', transactionId: id, ...common, bpp } as const;
  const { eumChain, suite } = euicc;
  return {
    element: bppItemPieces({ itemId, eid, outcome }),
    outcome: { itemId, eid, ...common, position, eumChain, suite, otpk: otPk.identity() },
  };
}

function refusedElement({ item: { itemId, eid }, refusal }: Omit<RefusedItem, 'index'>) {
  const { code, subjectCode, reasonCode, message } = refusal;
  const outcome = { kind: 'failed', subjectCode, reasonCode, message } as const;
  return {
    element: bppItemPieces({ itemId, eid, outcome }),
    outcome: { itemId, eid, refusal: code, message },
  };
}

/** An item whose profile is damaged: refused, and nothing was signed. Its profile goes to nobody else either. */
function damagedElement({ item, position }: ClaimedItem, iccid: string): BppElement {
  const refusal = new Refusal('executionError', 'the stored profile is damaged; the event is recorded');
  const { element, outcome } = refusedElement({ item, refusal });
  return { element, outcome: { ...outcome, damaged: { position, iccid } } };
}

/**
 * The key of a certificate. One that is out of reach, or that is another key, is a retryable Fault: the items keep
 * their claims and wait, since what is wrong is on our side and can be repaired.
 */
export async function signerFor({ keyRing }: Context, { keyUri, chain }: DpBinding): Promise<SigningKey> {
  const signer = await keyRing.binding(keyUri);
  const { spki } = chain[0]!;
  if (!equal(signer.publicKey, spki))
    throw new Fault(
      'keyProvider',
      `the key ${keyUri} (SKI ${keyIdentifier(signer.publicKey)}) is not the key of its certificate (SKI ${keyIdentifier(spki)})`,
      { retryable: true },
    );
  return signer;
}
