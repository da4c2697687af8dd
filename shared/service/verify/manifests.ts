import { createPublicKey, verify } from 'node:crypto';
import { type Bytes, toHex } from '../../codec/bytes.ts';
import { readTlvHeader } from '../../codec/tlv.ts';
import { mlDsa65Key } from '../../crypto/ml-dsa.ts';
import { unlessRefused } from '../../errors.ts';
import { decodeBatchManifest } from '../../ifpp-draft1/batch-manifest.ts';
import { leafHash } from '../../ifpp-draft1/hash-tree.ts';
import {
  decodeManifestPage,
  encodeManifestPage,
  type ManifestPage,
} from '../../ifpp-draft1/manifest-page.ts';
import { decodeManifestRoot, type SignedManifestRoot } from '../../ifpp-draft1/manifest-root.ts';
import { TAG } from '../../ifpp-draft1/tags.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Context } from '../context.ts';
import { deliveryKeyRecord } from '../records/custody.ts';
import { jobRecord } from '../records/job.ts';
import { deliveryKeysPartition, ledgerKeys } from '../records/keys.ts';
import { type Finding, inVault } from './finding.ts';
import { readNewest } from './objects.ts';

/** Beginning of the names of signed manifests, roots and pages. */
const MANIFEST = /^manifests\/([0-9a-f]+)-(page-([0-9a-f]{16})-\d+|[0-9a-f]{16}(-[0-9a-f]{16}\.jws)?)$/;

export const isManifest = (name: string) => name.startsWith('manifests/');

/**
 * What was ever signed, or is a page of it: locked, and of its job. A page has the leaf that its name begins with; a manifest or a
 * root is signed by a delivery key, in use or not.
 */
export async function checkManifest(context: Context, name: string): Promise<Finding[]> {
  const [, jobId, what, leaf, second] = MANIFEST.exec(name) ?? [];
  if (jobId === undefined || what === undefined) return [inVault(name, 'no manifest has such a name')];
  const { octets, finding } = await readNewest(context.vault, name, 'a manifest');
  if (finding !== undefined) return [finding];
  const jobItem = await context.ledger.get(ledgerKeys.job(jobId));
  if (jobItem === undefined) return [inVault(name, 'the ledger does not know the job of this manifest')];
  if (second !== undefined) return [];
  if (leaf !== undefined) {
    const isLeaf = toHex(leafHash(octets)).startsWith(leaf);
    return isLeaf ? [] : [inVault(name, 'the page does not hash to the leaf that it is named by')];
  }
  const { requestId } = jobRecord.from(jobItem);
  const signed = readSigned(octets);
  if (signed?.requestId !== requestId) return [inVault(name, 'the manifest is that of another request')];
  const keys = await deliveryKeys(context);
  return keys.some((spki) => isSignedBy(signed, spki))
    ? []
    : [inVault(name, 'no delivery key of this deployment has signed the manifest')];
}

/** FF65 or FF67; undefined where it is neither. */
const readSigned = (octets: Bytes) =>
  unlessRefused(() =>
    readTlvHeader(octets).tag === TAG.manifestRoot ? decodeManifestRoot(octets) : decodeBatchManifest(octets),
  );

/** The signed root; undefined where it is none. */
export const readRoot = (octets: Bytes): SignedManifestRoot | undefined =>
  unlessRefused(() => decodeManifestRoot(octets));

/** What a stored page says; undefined where it is none. */
export const readPage = (octets: Bytes): ManifestPage | undefined =>
  unlessRefused(() => decodeManifestPage(encodeManifestPage(octets, [])));

/** Public keys of all delivery keys that ever signed: each was written down before it did. */
const deliveryKeys = async ({ ledger }: Context): Promise<readonly Bytes[]> =>
  (await scanAll(ledger, deliveryKeysPartition))
    .map((item) => deliveryKeyRecord.from(item).publicKey)
    .filter((spki) => mlDsa65Key(spki) === undefined);

const isSignedBy = (
  { signed, signature }: Pick<SignedManifestRoot, 'signed' | 'signature'>,
  spki: Bytes,
): boolean => {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
};
