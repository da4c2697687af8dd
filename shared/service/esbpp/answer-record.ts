import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import { encodeAttributes } from '../../ledger/item.ts';
import { present } from '../../present.ts';
import { STATUS_CODES } from '../../status-codes.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { BppAnswer, FailedItem } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { answerRecord, type JobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { readSigned, type SignedManifest } from './signed-manifest.ts';

/** Octets of a record, which an item of the ledger has room for; a job with more refusals to list is counted again. */
const MAX_RECORD = 300_000;

/** A manifest and the parts that it names, where they are stored. */
export interface StoredManifest extends SignedManifest {
  readonly parts: readonly ObjectRef[];
}

/** The answer in parts that a manifest is the head of. */
export async function manifestAnswer(
  context: Pick<Context, 'vault' | 'log'>,
  { parts, ...signed }: StoredManifest,
): Promise<Pick<BppAnswer, 'manifest' | 'longTermSignature' | 'parts'>> {
  const { octets: manifest, ...more } = await readSigned(context, signed);
  return { manifest, ...more, parts };
}

/**
 * The answer in parts of a finished job as it was counted under this standing, by the few reads of its record and its
 * manifest, not by all its commits (I13); undefined where it was not, or where its manifest is gone.
 */
export async function recordedAnswer(
  context: Pick<Context, 'ledger' | 'vault' | 'log'>,
  jobId: string,
  job: JobRecord,
  standing: string,
): Promise<BppAnswer | undefined> {
  const item = await context.ledger.get(ledgerKeys.jobAnswer(jobId));
  const record = item && answerRecord.from(item);
  if (record?.standing !== standing) return undefined;
  const { keysSlowed, manifest, longTermSignature, parts } = record;
  for (const ref of [manifest, longTermSignature])
    if (ref !== undefined && !(await isThere(context, ref))) return undefined;
  return {
    requestId: job.requestId,
    items: job.items,
    processed: job.items,
    ...present({ keysSlowed }),
    state: 'Done',
    failed: record.failed.map(failedItem),
    ...(await manifestAnswer(context, { manifest, ...present({ longTermSignature }), parts })),
  };
}

/**
 * Writes down an answer in parts from which nothing is withheld. What withholds something later moves the trust epoch,
 * and with it the standing; what ends a withholding need not, so that an answer with one is counted each time.
 */
export async function recordAnswer(
  { ledger }: Pick<Context, 'ledger'>,
  jobId: string,
  standing: string,
  { keysSlowed, failed }: Pick<BppAnswer, 'keysSlowed' | 'failed'>,
  stored: StoredManifest,
): Promise<void> {
  const attributes = answerRecord.to({
    standing,
    failed: failed.map(({ itemId, code, message }) => ({ itemId, code, message })),
    ...present({ keysSlowed }),
    ...stored,
  });
  const text = encodeAttributes(attributes);
  if (text.length > MAX_RECORD) return;
  await changeItem(ledger, ledgerKeys.jobAnswer(jobId), (item) =>
    item !== undefined && encodeAttributes(item.attributes) === text ? unchanged() : becomes(attributes),
  );
}

/** A manifest that was lost is made again by counting. */
async function isThere({ vault }: Pick<Context, 'vault'>, { name, sha256 }: ObjectRef): Promise<boolean> {
  return (await vault.head(name))?.sha256 === sha256;
}

export function failedItem({
  itemId,
  code,
  message,
}: Pick<FailedItem, 'itemId' | 'code' | 'message'>): FailedItem {
  const { subject: subjectCode, reason: reasonCode } = STATUS_CODES[code];
  return { itemId, code, subjectCode, reasonCode, message };
}
