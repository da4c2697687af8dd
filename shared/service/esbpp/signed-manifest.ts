import { createHash } from 'node:crypto';
import { type Bytes, utf8 } from '../../codec/bytes.ts';
import { invariant } from '../../errors.ts';
import { Digest } from '../../keys/provider.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { deliveryKey, retiredDeliveryKeys } from '../keys/delivery-keys.ts';
import { longTermSignature, longTermStanding } from '../keys/long-term.ts';
import { readWhole } from '../life/checked-reads.ts';
import { objectNames } from '../records/object-names.ts';

/** A manifest, or the root of its pages, with the second signature over it, where they are stored. */
export interface SignedManifest {
  readonly manifest: ObjectRef;
  readonly longTermSignature?: ObjectRef;
}

/**
 * A manifest is signed once and kept: a repeat is answered with the same octets. `names` says what it is about, `toBeSigned` is
 * made only where it has to be signed. What a retired key has signed is signed anew.
 */
export async function signedManifest(
  context: Context,
  jobId: string,
  names: readonly string[],
  toBeSigned: () => Bytes,
  encode: (tbs: Bytes, signature: Bytes) => Bytes,
): Promise<SignedManifest> {
  const { vault } = context;
  const { name, version } = await signedName(context, jobId, names);
  let manifest = await vault.head(name);
  if (manifest === undefined) {
    const tbs = toBeSigned();
    const key = await deliveryKey(context);
    // the first manifest stays the manifest
    manifest = await vault.put(name, encode(tbs, await key.sign(Digest.of(tbs))), { lock: true });
  }
  return await twiceSigned(context, jobId, version, manifest);
}

/** Where it is kept, as long as no other key is retired. */
export async function signedName(
  context: Pick<Context, 'keyAssignments'>,
  jobId: string,
  names: readonly string[],
): Promise<{ readonly name: string; readonly version: string }> {
  const version = hashOf([...names, ...(await retiredDeliveryKeys(context))]);
  return { name: objectNames.manifest(jobId, version), version };
}

/** With its second signature, which is kept too. */
async function twiceSigned(
  context: Context,
  jobId: string,
  version: string,
  manifest: ObjectRef,
): Promise<SignedManifest> {
  const { vault } = context;
  const standing = await longTermStanding(context);
  if (standing.length === 0) return { manifest };
  const name = objectNames.manifestSignature(jobId, version, standing);
  let known = await vault.head(name);
  if (known === undefined) {
    const made = await longTermSignature(context, await readWhole(context, manifest));
    invariant(made !== undefined, 'a long-term key is in use');
    known = await vault.put(name, utf8(made), { lock: true });
  }
  return { manifest, longTermSignature: known };
}

const hashOf = (names: readonly string[]) =>
  createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 16);

/** The octets of both, for an answer. */
export async function readSigned(
  context: Pick<Context, 'vault' | 'log'>,
  { manifest, longTermSignature: second }: SignedManifest,
): Promise<{ readonly octets: Bytes; readonly longTermSignature?: string }> {
  const octets = await readWhole(context, manifest);
  if (second === undefined) return { octets };
  const text = Buffer.from(await readWhole(context, second)).toString('ascii');
  return { octets, longTermSignature: text };
}
