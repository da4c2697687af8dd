import { toHex } from '../../codec/bytes.ts';
import { checkEid } from '../../codec/eid.ts';
import { refuse } from '../../errors.ts';
import { decodeCertificate } from '../../pki/certificate.ts';
import type { Context } from '../context.ts';
import { euiccRecord, parseItemName } from '../records/euicc.ts';
import { type BoundItem, type ChunkRecord, chunkRecord, isBound, jobRecord } from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { readCommitRecord } from '../records/locked-records.ts';
import { COMMIT_RECORDS } from '../records/object-names.ts';
import { eumChainRecord } from '../records/trust.ts';

/** A profile that is bound to an eUICC, for whoever has to deal with it after a revocation. */
export interface BoundProfile {
  readonly orderId: string;
  readonly iccid: string;
  readonly eid: string;
  readonly keyId: string;
  /** functionRequesterIdentifier of the device manufacturer, and its request. */
  readonly party: string;
  readonly requestId: string;
  readonly boundAt: Date;
}

/** What is bound to one eUICC: reads its record and one chunk for each of its keys that is taken. */
export async function* boundToEuicc({ ledger }: Context, eid: string): AsyncGenerator<BoundProfile> {
  const item = await ledger.get(ledgerKeys.euicc(checkEid(eid)));
  if (item === undefined)
    refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
  for (const { by } of euiccRecord.from(item).keys) {
    if (by === undefined) continue;
    const { jobId, index } = parseItemName(by);
    const jobItem = await ledger.get(ledgerKeys.job(jobId));
    const job = jobItem && jobRecord.from(jobItem);
    if (job === undefined) continue;
    const chunkItem = await ledger.get(ledgerKeys.chunk(jobId, Math.floor(index / job.chunkSize)));
    const chunk = chunkItem && chunkRecord.from(chunkItem);
    const outcome = chunk?.outcomes[index % job.chunkSize];
    if (chunk !== undefined && outcome !== undefined && isBound(outcome) && outcome.eid === eid)
      yield boundProfile(job, chunk, outcome);
  }
}

/**
 * What is bound to eUICCs below one EUM certificate or sub-CA, named by its SubjectKeyIdentifier. Walks every commit
 * record of the deployment, one object after the other: 4,000 reads for a million profiles in chunks of 250, and
 * memory for one chunk. A chunk committed in this moment appears once its commit record is locked, which is before
 * anybody can read it.
 */
export async function* boundUnderEum(
  { ledger, vault }: Context,
  keyId: string,
): AsyncGenerator<BoundProfile> {
  const below = new Map<string, boolean>();
  const isBelow = async (chainHash: string) => {
    let known = below.get(chainHash);
    if (known === undefined) {
      const chain = await ledger.get(ledgerKeys.eumChain(chainHash));
      const certificates = chain === undefined ? [] : eumChainRecord.from(chain).certificates;
      known = certificates.some((der) => keyIdOf(der) === keyId);
      below.set(chainHash, known);
    }
    return known;
  };
  for await (const name of vault.names(COMMIT_RECORDS)) {
    const record = await readCommitRecord(vault, name);
    for (const outcome of record?.outcomes ?? [])
      if (record !== undefined && isBound(outcome) && (await isBelow(outcome.eumChain)))
        yield boundProfile(record, record, outcome);
  }
}

function keyIdOf(der: Uint8Array): string | undefined {
  const { subjectKeyIdentifier } = decodeCertificate(der).extensions;
  return subjectKeyIdentifier && toHex(subjectKeyIdentifier);
}

function boundProfile(
  { orderId, party, requestId }: { orderId: string; party: string; requestId: string },
  { committedAt }: Pick<ChunkRecord, 'committedAt'>,
  { iccid, eid, keyId }: BoundItem,
): BoundProfile {
  return { orderId, iccid, eid, keyId, party, requestId, boundAt: new Date(committedAt) };
}
