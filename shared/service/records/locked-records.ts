import { utf8 } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import { decodeAttributes, encodeAttributes } from '../../ledger/item.ts';
import type { Attributes } from '../../ledger/ledger.ts';
import type { Vault } from '../../vault/vault.ts';
import { type ChunkRecord, chunkCount, type JobChains, type JobRecord } from './job.ts';
import type { OrderRecord } from './order.ts';

/**
 * What a restored ledger is brought up to date from (I9): locked objects outside the ledger, written before anything
 * that they tell of can be read. Each is the JSON text of ledger/item.ts, octets as `{"$octets":"…"}`.
 */

/** The commit of a chunk. A job of one chunk stands in it whole; others have a job record of their own. */
export interface CommitRecord extends ChunkRecord {
  readonly jobId: string;
  readonly chunk: number;
  readonly party: string;
  readonly requestId: string;
  readonly orderId: string;
  readonly job?: JobRecord;
  readonly chains: JobChains['chains'];
}

export const COMMIT_RECORDS = 'commits/';
const JOB_RECORDS = 'records/jobs/';
const ORDER_RECORDS = 'records/orders/';

/** Milliseconds since 1970 that no commit reaches (year 2286). */
const LATEST = 9_999_999_999_999;

/** The newest commit comes first in the order of names, so that one look tells whether the ledger knows it. */
export const commitRecordName = (jobId: string, chunk: number, committedAt: number) =>
  `${COMMIT_RECORDS}${String(LATEST - committedAt).padStart(13, '0')}-${jobId}-${chunk}`;

/** `committedAt` is undefined for names as they were given at first: `commits/JOB/CHUNK`. */
export function parseCommitRecordName(name: string): {
  jobId: string;
  chunk: number;
  committedAt: number | undefined;
} {
  const [, age, jobId, chunk] = /^commits\/(?:(\d{13})-)?([0-9a-f]+)[-/](\d+)$/.exec(name) ?? [];
  if (jobId === undefined) throw new Fault('vault', `${name} is not the name of a commit record`);
  return { jobId, chunk: Number(chunk), committedAt: age === undefined ? undefined : LATEST - Number(age) };
}

export async function putCommitRecord(vault: Vault, record: CommitRecord): Promise<void> {
  const name = commitRecordName(record.jobId, record.chunk, record.committedAt);
  await vault.put(name, encode(record), { lock: true });
}

/** Before any chunk of the job is bound. A job of one chunk needs none: its commit has it. */
export async function putJobRecord(vault: Vault, jobId: string, job: JobRecord): Promise<void> {
  if (chunkCount(job) > 1) await vault.put(`${JOB_RECORDS}${jobId}`, encode(job), { lock: true });
}

/** Before the order opens. */
export async function putOrderRecord(vault: Vault, orderId: string, order: OrderRecord): Promise<void> {
  await vault.put(`${ORDER_RECORDS}${orderId}`, encode(order), { lock: true });
}

export const readCommitRecord = (vault: Vault, name: string) => read<CommitRecord>(vault, name);
export const readJobRecord = (vault: Vault, jobId: string) =>
  read<JobRecord>(vault, `${JOB_RECORDS}${jobId}`);
export const readOrderRecord = (vault: Vault, orderId: string) =>
  read<OrderRecord>(vault, `${ORDER_RECORDS}${orderId}`);

export async function* recordedJobs(vault: Vault): AsyncGenerator<string> {
  for await (const name of vault.names(JOB_RECORDS)) yield name.slice(JOB_RECORDS.length);
}

export async function* recordedOrders(vault: Vault): AsyncGenerator<string> {
  for await (const name of vault.names(ORDER_RECORDS)) yield name.slice(ORDER_RECORDS.length);
}

const encode = (record: object) => utf8(encodeAttributes(record as Attributes));

async function read<Record>(vault: Vault, name: string): Promise<Record | undefined> {
  const ref = await vault.head(name);
  if (ref === undefined) return undefined;
  return decodeAttributes(Buffer.from(await vault.get(ref)).toString('utf8')) as unknown as Record;
}
