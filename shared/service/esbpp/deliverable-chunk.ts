import { type Bytes, fromHex } from '../../codec/bytes.ts';
import { Refusal, refuse } from '../../errors.ts';
import type { PartEntry } from '../../ifpp-draft1/batch-manifest.ts';
import { encodeBppItem } from '../../ifpp-draft1/bpp-batch.ts';
import { STATUS_CODES } from '../../status-codes.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { FailedItem } from '../api/esbpp.ts';
import type { Context } from '../context.ts';
import { euiccRecord } from '../records/euicc.ts';
import { type ChunkRecord, chunkProgress, chunkRecord, isBound, type JobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { transactionId } from '../records/transaction-id.ts';
import type { TrustView } from '../trust/trust.ts';

/** A chunk on its way out, with what is withheld replaced by its refusal. */
export interface DeliverableChunk {
  readonly part: ObjectRef;
  readonly size: number;
  readonly failed: readonly FailedItem[];
  readonly withheld: readonly { readonly item: number; readonly code: string; readonly message: string }[];
  /** How many of the job's chains its bound items name. */
  readonly chains: number;
  readonly index: readonly PartEntry[];
  assemble(part: Bytes): Bytes;
}

/** A committed chunk as it may go out now: rechecked against revocations since its commit (I6). */
export async function loadDeliverable(
  { ledger }: Pick<Context, 'ledger'>,
  jobId: string,
  job: JobRecord,
  chunk: number,
  view: TrustView,
): Promise<DeliverableChunk> {
  const [item, progress] = await ledger.getMany([
    ledgerKeys.chunk(jobId, chunk),
    ledgerKeys.chunkProgress(jobId, chunk),
  ]);
  if (item === undefined || progress === undefined || !chunkProgress.from(progress).finished) {
    refuse('providerUnavailable', 'the answer is not complete');
  }
  const record = chunkRecord.from(item);
  const withheld = new Map<number, Refusal>();
  if (record.trustEpoch !== view.epoch) {
    const bound = record.outcomes.flatMap((outcome, i) => (isBound(outcome) ? [{ outcome, i }] : []));
    const euiccs = await ledger.getMany(bound.map(({ outcome }) => ledgerKeys.euicc(outcome.eid)));
    const certificates = await ledger.getMany(
      bound.map(({ outcome }) => ledgerKeys.euiccCertificate(outcome.eid)),
    );
    for (const [n, { i, outcome }] of bound.entries()) {
      try {
        const euicc = euiccs[n];
        // bound before the ledger was restored, and not registered again yet: nobody could say whether it is revoked
        if (euicc === undefined || certificates[n] === undefined)
          refuse('eidUnknown', 'the eUICC is to be registered again');
        const { ciPkId, revokedAt } = euiccRecord.from(euicc);
        if (revokedAt !== undefined)
          refuse('euiccCertificateExpired', 'the eUICC was revoked on this server');
        const eum = await view.eumOf(outcome.eumChain, fromHex(ciPkId));
        eum.verified.recheckEuicc(certificates[n]?.attributes.der as Bytes);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        withheld.set(i, error);
      }
    }
  }
  return deliverableChunk(jobId, chunk * job.chunkSize, record, withheld);
}

function deliverableChunk(
  jobId: string,
  first: number,
  record: ChunkRecord,
  withheld: ReadonlyMap<number, Refusal>,
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
