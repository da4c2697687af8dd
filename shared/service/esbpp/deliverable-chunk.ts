import { createHash } from 'node:crypto';
import { type Bytes, fromHex } from '../../codec/bytes.ts';
import { Refusal, refuse } from '../../errors.ts';
import type { Part, PartEntry } from '../../ifpp-draft1/batch-manifest.ts';
import { encodeBppItem } from '../../ifpp-draft1/bpp-batch.ts';
import { present } from '../../present.ts';
import { STATUS_CODES } from '../../status-codes.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { FailedItem, KeysSlowed } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { gateReads, mayHaveProfile } from '../eligibility/gate.ts';
import { readWhole } from '../life/checked-reads.ts';
import { euiccCertificateRecord, euiccRecord } from '../records/euicc.ts';
import { type ChunkRecord, chunkProgress, chunkRecord, isBound, type JobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { transactionId } from '../records/transaction-id.ts';
import type { TrustView } from '../trust/trust.ts';

/** A chunk on its way out, with what is withheld replaced by its refusal. */
export interface DeliverableChunk {
  readonly part: ObjectRef;
  /** Where the part is sealed, which goes out within an answer only: just-in-time/sealed-part.ts. */
  readonly partKey?: Bytes;
  readonly size: number;
  readonly failed: readonly FailedItem[];
  readonly withheld: readonly { readonly item: number; readonly code: string; readonly message: string }[];
  /** How many of the job's chains its bound items name. */
  readonly chains: number;
  readonly index: readonly PartEntry[];
  readonly keysSlowed?: KeysSlowed;
  assemble(part: Bytes): Bytes;
}

/** A committed chunk as it may go out now: rechecked against revocations since its commit (I6). */
export async function loadDeliverable(
  context: Pick<Context, 'ledger' | 'settings'>,
  jobId: string,
  job: JobRecord,
  chunk: number,
  view: TrustView,
): Promise<DeliverableChunk> {
  const { ledger } = context;
  const [item, progress] = await ledger.getMany([
    ledgerKeys.chunk(jobId, chunk),
    ledgerKeys.chunkProgress(jobId, chunk),
  ]);
  const far = progress && chunkProgress.from(progress);
  if (item === undefined || far?.finished !== true)
    refuse('providerUnavailable', 'the answer is not complete');
  const record = chunkRecord.from(item);
  // what withdraws trust moves the epoch: with the one of the commit there is nothing to ask
  const withheld: ReadonlyMap<number, Refusal> =
    record.trustEpoch === view.epoch ? new Map() : await withdrawnSince(context, record, view);
  const { keysSlowed } = far;
  return { ...deliverableChunk(jobId, chunk * job.chunkSize, record, withheld), ...present({ keysSlowed }) };
}

/** The stored part, or one without what is withheld. */
export async function deliverablePart(
  context: Pick<Context, 'vault' | 'log'>,
  jobId: string,
  chunk: number,
  deliverable: DeliverableChunk,
): Promise<ObjectRef> {
  if (deliverable.withheld.length === 0) return deliverable.part;
  const without = createHash('sha256')
    .update(JSON.stringify(deliverable.withheld))
    .digest('hex')
    .slice(0, 16);
  const body = deliverable.assemble(await readWhole(context, deliverable.part));
  return await context.vault.put(objectNames.partWithout(jobId, chunk, without), body, { lock: true });
}

/** As a manifest names it. */
export const manifestPart = (
  { name, size, sha256 }: ObjectRef,
  { index }: Pick<DeliverableChunk, 'index'>,
): Part => ({ name, size, sha256: fromHex(sha256), index });

/** The bound items that the gate lets out no more, by their place in the chunk. */
async function withdrawnSince(
  context: Pick<Context, 'ledger' | 'settings'>,
  { outcomes }: ChunkRecord,
  view: TrustView,
): Promise<ReadonlyMap<number, Refusal>> {
  const withheld = new Map<number, Refusal>();
  const { ledger } = context;
  const gate = gateReads(context, view);
  const bound = outcomes.flatMap((outcome, i) => (isBound(outcome) ? [{ outcome, i }] : []));
  const euiccs = await ledger.getMany(bound.map(({ outcome }) => ledgerKeys.euicc(outcome.eid)));
  const certificates = await ledger.getMany(
    bound.map(({ outcome }) => ledgerKeys.euiccCertificate(outcome.eid)),
  );
  for (const [n, { i, outcome }] of bound.entries()) {
    const item = euiccs[n];
    const record = item && euiccRecord.from(item);
    const certificateItem = certificates[n];
    const certificate = certificateItem && euiccCertificateRecord.from(certificateItem).der;
    const verdict = await mayHaveProfile({ eid: outcome.eid, record, certificate }, outcome, gate);
    if (verdict instanceof Refusal) withheld.set(i, verdict);
  }
  return withheld;
}

/** `first`: index of its first item in the job; `withheld`: refusals by place in the chunk. */
export function deliverableChunk(
  jobId: string,
  first: number,
  record: ChunkRecord,
  withheld: ReadonlyMap<number, Refusal> = new Map(),
): DeliverableChunk {
  const failed: FailedItem[] = [];
  const index: PartEntry[] = [];
  const replaced = new Map<number, Bytes>();
  let at = 0;
  for (const [i, outcome] of record.outcomes.entries()) {
    const refusal = withheld.get(i);
    const code = refusal?.code ?? ('refusal' in outcome ? outcome.refusal : undefined);
    const message = refusal?.message ?? ('message' in outcome ? outcome.message : '');
    let length = record.offsets[i + 1]! - record.offsets[i]!;
    if (code !== undefined) {
      const { subject: subjectCode, reason: reasonCode } = STATUS_CODES[code];
      failed.push({ itemId: outcome.itemId, code, subjectCode, reasonCode, message });
      if (refusal !== undefined) {
        const element = encodeBppItem({
          itemId: outcome.itemId,
          eid: outcome.eid,
          outcome: { kind: 'failed', subjectCode, reasonCode, message },
        });
        replaced.set(i, element);
        length = element.length;
      }
    } else
      index.push({ eid: outcome.eid, transactionId: transactionId(jobId, first + i), offset: at, length });
    at += length;
  }
  return {
    part: record.part,
    ...present({ partKey: record.partKey }),
    size: at,
    failed,
    withheld: [...withheld].map(([item, { code, message }]) => ({ item, code, message })),
    chains: record.outcomes.reduce(
      (count, outcome) => (isBound(outcome) ? Math.max(count, outcome.chain + 1) : count),
      0,
    ),
    index,
    assemble(part) {
      if (replaced.size === 0) return part;
      return Buffer.concat(
        record.outcomes.map(
          (_, i) => replaced.get(i) ?? part.subarray(record.offsets[i]!, record.offsets[i + 1]!),
        ) as Uint8Array[],
      );
    },
  };
}
