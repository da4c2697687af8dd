import type { Vault } from '../../vault/vault.ts';
import { type DeliveryKeyRecord, deliveryKeyRecord } from './custody.ts';
import {
  chainsMembers,
  chunkCount,
  chunkMembers,
  type JobRecord,
  jobMembers,
  jobRecord,
  type RequestSlice,
  requestSlice,
} from './job.ts';
import { DELIVERY_KEY_RECORDS, JOB_RECORDS, ORDER_RECORDS, objectNames } from './object-names.ts';
import { type OrderRecord, orderRecord } from './order.ts';
import { type RecordKind, type RecordOf, recordOf } from './record.ts';
import { object, optional, text, whole } from './schema.ts';

/**
 * What a restored ledger is brought up to date from (I9): locked objects outside the ledger, written before anything
 * that they tell of can be read.
 */

/** The commit of a chunk. A job of one chunk stands in it whole; others have a job record of their own. */
export const commitRecord = recordOf('commit', {
  ...chunkMembers,
  ...chainsMembers,
  jobId: text,
  chunk: whole,
  party: text,
  requestId: text,
  orderId: text,
  job: optional(object(jobMembers)),
});

export type CommitRecord = RecordOf<typeof commitRecord>;

export async function putCommitRecord(vault: Vault, record: CommitRecord): Promise<void> {
  const name = objectNames.commitRecord(record.jobId, record.chunk, record.committedAt);
  await vault.put(name, commitRecord.toObject(record), { lock: true });
}

/** Before any chunk of the job is bound. A job of one chunk needs none: its commit has it. */
export async function putJobRecord(vault: Vault, jobId: string, job: JobRecord): Promise<void> {
  if (chunkCount(job) > 1)
    await vault.put(objectNames.jobRecord(jobId), jobRecord.toObject(job), { lock: true });
}

/** Of a large request, before its job is recorded. */
export async function putRequestSlice(
  vault: Vault,
  jobId: string,
  slice: number,
  plan: RequestSlice,
): Promise<void> {
  const name = objectNames.requestSlice(jobId, slice);
  await vault.put(name, requestSlice.toObject(plan), { lock: true });
}

/** Before the order opens. */
export async function putOrderRecord(vault: Vault, orderId: string, order: OrderRecord): Promise<void> {
  await vault.put(objectNames.orderRecord(orderId), orderRecord.toObject(order), { lock: true });
}

/** Of a key that signs, or has signed: before another takes its place. What is there stays as it was first. */
export async function putDeliveryKeyRecord(
  vault: Vault,
  keyId: string,
  key: DeliveryKeyRecord,
): Promise<void> {
  const name = objectNames.deliveryKeyRecord(keyId);
  if ((await vault.head(name)) === undefined)
    await vault.put(name, deliveryKeyRecord.toObject(key), { lock: true });
}

export const readCommitRecord = (vault: Vault, name: string) => read(vault, name, commitRecord);
export const readJobRecord = (vault: Vault, jobId: string) =>
  read(vault, objectNames.jobRecord(jobId), jobRecord);
export const readRequestSlice = (vault: Vault, jobId: string, slice: number) =>
  read(vault, objectNames.requestSlice(jobId, slice), requestSlice);
export const readOrderRecord = (vault: Vault, orderId: string) =>
  read(vault, objectNames.orderRecord(orderId), orderRecord);

export async function* recordedJobs(vault: Vault): AsyncGenerator<string> {
  for await (const name of vault.names(JOB_RECORDS)) yield name.slice(JOB_RECORDS.length);
}

export async function* recordedOrders(vault: Vault): AsyncGenerator<string> {
  for await (const name of vault.names(ORDER_RECORDS)) yield name.slice(ORDER_RECORDS.length);
}

export async function* recordedDeliveryKeys(vault: Vault): AsyncGenerator<DeliveryKeyRecord> {
  for await (const name of vault.names(DELIVERY_KEY_RECORDS)) {
    const record = await read(vault, name, deliveryKeyRecord);
    if (record !== undefined) yield record;
  }
}

async function read<T>(vault: Vault, name: string, kind: RecordKind<T>): Promise<T | undefined> {
  const ref = await vault.head(name);
  return ref && kind.fromObject(name, await vault.get(ref));
}
