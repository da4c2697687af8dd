import type { Bytes } from '../../../codec/bytes.ts';
import { fromHex } from '../../../codec/bytes.ts';
import { encodeBppItem } from '../../../ifpp-draft1/bpp-batch.ts';
import type { UseOptions } from '../../../keys/provider.ts';
import { bindWhileReading } from '../../../profile/bind.ts';
import { wipePpk } from '../../../profile/ppk.ts';
import type { Context } from '../../context.ts';
import type { BoundItem } from '../../records/job.ts';
import { transactionId } from '../../records/transaction-id.ts';
import { PackReader, type StoredProfile } from '../../supply/packs.ts';
import { signerFor } from '../bind-items.ts';
import { oneTimeKeysOf } from '../one-time-keys.ts';
import type { Decision, Place, Wanted } from './plan.ts';

/** A BPP that nobody has yet. */
export interface BoundInTime {
  /** A BppItem. */
  readonly element: Bytes;
  readonly outcome: BoundItem;
}

/**
 * Ephemeral key pair, agreement and derivation; then the signature, while the profile, its PPK and its data key are read.
 * Undefined where the profile cannot be had: its PPK is gone, or it is damaged, which raised the alarm.
 */
export async function bindInTime(
  context: Context,
  { received, item }: Wanted,
  { order, admission }: Decision,
  place: Place,
  use: UseOptions,
): Promise<BoundInTime | undefined> {
  const { jobId } = received;
  const { itemId, eid } = item;
  const { dp, claim } = admission;
  const signer = await signerFor(context, dp);
  const otPk = (await oneTimeKeysOf(context.ledger, [claim])).get(claim)!;
  const reading = readProfile(context, received.frame.orderId, order.packSize, place, use);
  try {
    const id = transactionId(jobId, 0);
    const bpp = await bindWhileReading({
      eid,
      euiccOtpk: otPk,
      transactionId: fromHex(id),
      hostId: context.settings.hostId,
      content: reading.then(contentOf),
      sign: async (digest) => signer.signSync?.(digest) ?? (await signer.sign(digest, use)),
    });
    if (bpp === undefined) return undefined;
    const { iccid } = await reading;
    const { eumChain, suite } = claim.euicc;
    const common = { keyId: claim.key.keyId, iccid, chain: 0 };
    return {
      element: encodeBppItem({
        itemId,
        eid,
        outcome: { kind: 'bound', transactionId: id, ...common, bpp },
      }),
      outcome: {
        itemId,
        eid,
        ...common,
        position: place.position,
        eumChain,
        suite,
        otpk: otPk.identity(),
      },
    };
  } finally {
    await reading.then(
      (profile) => {
        if (profile.kind === 'whole') wipePpk(profile.ppk);
      },
      () => undefined,
    );
  }
}

async function readProfile(
  context: Context,
  orderId: string,
  packSize: number,
  { position, pack: record }: Place,
  use: UseOptions,
): Promise<StoredProfile> {
  const pack = Math.floor(position / packSize);
  const profiles = await new PackReader(context, orderId, { packSize, pack, record }).read([position], use);
  return profiles.get(position)!;
}

function contentOf(profile: StoredProfile) {
  if (profile.kind !== 'whole') return undefined;
  const { entry, ppk } = profile;
  return {
    metadataDer: entry.metadata,
    payload: { mode: 'ppk', segments: entry.segments, ppk },
  } as const;
}
