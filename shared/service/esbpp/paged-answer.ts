import { type Bytes, toHex } from '../../codec/bytes.ts';
import { Fault, refuse } from '../../errors.ts';
import { encodeManifestRoot, manifestRootTbs } from '../../ifpp-draft1/manifest-root.ts';
import { present } from '../../present.ts';
import type { BppAnswer } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { progressOfJob } from '../counts/job-counts.ts';
import { chunkCount, type JobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import type { FinishedTree, TreeRecord } from '../records/manifest-tree.ts';
import type { Trust } from '../trust/trust.ts';
import { failedItem } from './answer-record.ts';
import { chainsOf } from './job-chains.ts';
import { counts, provenPage, startTree, treeOf } from './manifest-tree.ts';
import { markDelivered } from './mark-delivered.ts';
import { readSigned, signedManifest } from './signed-manifest.ts';

type MadeTree = TreeRecord & { readonly done: FinishedTree };

/** The answer to a large job: the signed root of its manifest, or one page of it. No call reads more of the job than one page. */
export async function pagedAnswer(
  context: Context,
  trust: Trust,
  jobId: string,
  job: JobRecord,
  page?: number,
): Promise<BppAnswer> {
  const { ledger, now } = context;
  const { requestId, items } = job;
  if ((await ledger.get(ledgerKeys.openWork('job', jobId))) !== undefined) {
    const { bound, refused, keysSlowed } = await progressOfJob(ledger, jobId, job);
    const far = { processed: bound + refused, ...present({ keysSlowed }) };
    return { requestId, items, ...far, state: 'Pending', failed: [] };
  }
  const pending = { requestId, items, processed: items, state: 'Pending', failed: [] } as const;
  const { epoch } = await trust.current();
  const tree = await treeOf(context, jobId);
  if (!isMade(tree) || !counts(tree, epoch, now())) {
    await startTree(context, jobId, job, epoch);
    return pending;
  }
  if (page === undefined) return await rootAnswer(context, jobId, job, tree);
  try {
    const answer = await pageAnswer(context, jobId, job, tree, page);
    if (answer !== undefined) return answer;
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'vault' && !error.retryable)) throw error;
  }
  // lost or damaged, unless another tree has begun: what it is made of stands in the commits
  await startTree(context, jobId, job, epoch, tree);
  return pending;
}

const isMade = (tree: TreeRecord | undefined): tree is MadeTree => tree?.done !== undefined;

/** What a signed root is about: signed-manifest.ts. */
export const rootNames = (root: Bytes): readonly string[] => ['root', toHex(root)];

async function rootAnswer(
  context: Context,
  jobId: string,
  job: JobRecord,
  { pages, done }: MadeTree,
): Promise<BppAnswer> {
  const { requestId, items } = job;
  const { root, keysSlowed } = done;
  const chains = await chainsOf(context, jobId, job, done.chains);
  const toBeSigned = () => manifestRootTbs({ requestId, chains, items, parts: chunkCount(job), pages, root });
  const signed = await signedManifest(context, jobId, rootNames(root), toBeSigned, encodeManifestRoot);
  const { octets: manifestRoot, ...more } = await readSigned(context, signed);
  return {
    requestId,
    items,
    processed: items,
    ...present({ keysSlowed }),
    state: 'Done',
    failed: done.failed.map(failedItem),
    manifestRoot,
    pages,
    ...more,
  };
}

async function pageAnswer(
  context: Context,
  jobId: string,
  job: JobRecord,
  tree: MadeTree,
  page: number,
): Promise<BppAnswer | undefined> {
  const { requestId, items } = job;
  if (page >= tree.pages)
    refuse('requestUnknown', `the manifest has ${tree.pages} pages, numbered from 0`, {
      subjectIdentifier: String(page),
    });
  const proven = await provenPage(context, jobId, tree, page);
  if (proven === undefined) return undefined;
  const first = page * tree.chunksOfPage;
  await markDelivered(context, jobId, job, first, Math.min(first + tree.chunksOfPage, chunkCount(job)));
  return {
    requestId,
    items,
    processed: items,
    state: 'Done',
    failed: proven.failed.map(failedItem),
    pages: tree.pages,
    manifestPage: proven.octets,
  };
}
