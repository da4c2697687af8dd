import { canonicalJson } from '../../codec/canonical-json.ts';
import { Fault } from '../../errors.ts';
import { encodeAttributes } from '../../ledger/item.ts';
import { present } from '../../present.ts';
import type { Context } from '../context.ts';
import { SEAL } from '../esbpp/just-in-time/sealed-part.ts';
import { euiccRecord, itemName, keyOwner, keyOwnerKey } from '../records/euicc.ts';
import {
  type BoundItem,
  type ChunkRecord,
  chunkProgress,
  chunkRecord,
  isBound,
  jobRecord,
} from '../records/job.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type CommitRecord, commitRecord } from '../records/locked-records.ts';
import { COMMIT_RECORDS, objectNames, parseCommitRecordName } from '../records/object-names.ts';
import { iccidOwner } from '../records/order.ts';
import { checkEach, type Finding, inLedger, inVault, type Slice } from './finding.ts';
import { readNewest } from './objects.ts';

/** Commit records of one slice. */
const SLICE = 20;

/** Every locked commit record against the ledger: what is bound is bound for ever, whatever the ledger says. */
export async function* verifyCommits(context: Context, after: string): AsyncGenerator<Slice> {
  let names: string[] = [];
  const slice = async (): Promise<Slice> => {
    const findings = await checkEach(
      names,
      (name) => checkCommit(context, name),
      (name) => inVault(name, ''),
    );
    return { findings, looked: names.length, cursor: names.at(-1)! };
  };
  for await (const name of context.vault.names(COMMIT_RECORDS)) {
    if (name <= after) continue;
    names.push(name);
    if (names.length < SLICE) continue;
    yield await slice();
    names = [];
  }
  if (names.length > 0) yield await slice();
}

async function checkCommit(context: Context, name: string): Promise<Finding[]> {
  const { vault, ledger } = context;
  const { octets, finding } = await readNewest(vault, name, 'the commit record');
  if (finding !== undefined) return [finding];
  let commit: CommitRecord;
  try {
    commit = commitRecord.fromObject(name, octets);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return [inVault(name, error.message)];
  }
  const { jobId, chunk, committedAt } = parseCommitRecordName(name);
  if (commit.jobId !== jobId || commit.chunk !== chunk || commit.committedAt !== committedAt)
    return [inVault(name, `the object is the commit record of chunk ${commit.chunk} of job ${commit.jobId}`)];
  const key = ledgerKeys.chunk(jobId, chunk);
  const [item, jobItem] = await ledger.getMany([key, ledgerKeys.job(jobId)]);
  if (item === undefined)
    return [inLedger(key, 'a locked commit record tells of this chunk, and the ledger does not know it')];
  const findings: Finding[] = [];
  const known = chunkRecord.from(item);
  if (!sameCommit(known, commit))
    findings.push(inLedger(key, 'the chunk contradicts its locked commit record'));
  if (jobItem === undefined)
    return [...findings, inLedger(ledgerKeys.job(jobId), 'the job of a commit is missing')];
  const { chunkSize, orderId } = jobRecord.from(jobItem);
  if (orderId !== commit.orderId)
    findings.push(inLedger(ledgerKeys.job(jobId), 'the job is of another order than its commit says'));
  const bound = commit.outcomes.flatMap((outcome, i) =>
    isBound(outcome) ? [{ outcome, name: itemName(jobId, chunk * chunkSize + i) }] : [],
  );
  return [...findings, ...(await checkSpent(context, commit.orderId, bound))];
}

const sameCommit = (known: ChunkRecord, { part, partKey, outcomes, offsets, committedAt }: CommitRecord) =>
  canonical({ ...known, trustEpoch: 0 }) ===
  canonical({ part, ...present({ partKey }), outcomes, offsets, committedAt, trustEpoch: 0 });

const canonical = (chunk: ChunkRecord) => canonicalJson(JSON.parse(encodeAttributes(chunkRecord.to(chunk))));

/** One-time keys and ICCIDs of bound items: taken by them and by nobody else (I1, I2). */
async function checkSpent(
  { ledger }: Context,
  orderId: string,
  bound: readonly { readonly outcome: BoundItem; readonly name: string }[],
): Promise<Finding[]> {
  const keys = bound.map(({ outcome: { eid, suite, otpk, iccid } }) => ({
    euicc: ledgerKeys.euicc(eid),
    owner: keyOwnerKey(suite, otpk),
    iccid: ledgerKeys.iccid(iccid),
  }));
  const euiccs = await ledger.getMany(keys.map(({ euicc }) => euicc));
  const owners = await ledger.getMany(keys.map(({ owner }) => owner));
  const iccids = await ledger.getMany(keys.map(({ iccid }) => iccid));
  return bound.flatMap(({ outcome, name }, i) => {
    const findings: Finding[] = [];
    const { euicc, owner, iccid } = keys[i]!;
    const record = euiccs[i] && euiccRecord.from(euiccs[i]);
    const otpk = record?.keys.find(({ keyId }) => keyId === outcome.keyId);
    const keyItem = owners[i] && keyOwner.from(owners[i]);
    if (record === undefined) {
      // an eUICC that a restored ledger does not know yet begins with the claim that its key has
      if (keyItem?.by !== name)
        findings.push(inLedger(euicc, `the eUICC that ${name} was bound to is missing`));
    } else if (otpk?.by !== name || otpk.state === 'free')
      findings.push(
        inLedger(
          euicc,
          `one-time key ${outcome.keyId} is bound to ${name} by a locked commit record, and is ${otpk?.state ?? 'missing'} here`,
        ),
      );
    else if (!record.orders[orderId]?.includes(name))
      findings.push(inLedger(euicc, `the place of ${name} in order ${orderId} is missing`));
    if (keyItem?.eid !== outcome.eid || keyItem.keyId !== outcome.keyId)
      findings.push(inLedger(owner, `the one-time key that ${name} was bound to has no owner, or another`));
    const place = iccids[i] && iccidOwner.from(iccids[i]);
    if (place === undefined || place.position !== outcome.position || !isOf(place.orderId, orderId))
      findings.push(inLedger(iccid, `the ICCID that ${name} has stands for no position, or another`));
    return findings;
  });
}

const isOf = (owner: string, orderId: string) => owner === orderId || owner === `lost/${orderId}`;

/** A chunk of the ledger as it should be by itself, by its companions and by its locked record. */
export async function checkChunk(
  context: Context,
  jobId: string,
  chunk: number,
  record: ChunkRecord,
): Promise<Finding[]> {
  const { ledger } = context;
  const key = ledgerKeys.chunk(jobId, chunk);
  const { outcomes, offsets, part, partKey } = record;
  const isSealed = partKey !== undefined;
  const findings: Finding[] = [];
  if (
    offsets.length !== outcomes.length + 1 ||
    offsets.at(-1) !== part.size - (isSealed ? SEAL : 0) ||
    offsets.some((at, i) => i > 0 && at < offsets[i - 1]!)
  )
    findings.push(inLedger(key, 'the offsets are not those of its part'));
  const item = await ledger.get(ledgerKeys.chunkProgress(jobId, chunk));
  // one that was bound just in time gets its progress with its end, by a repeat or by the reaper of its lane
  if (item === undefined && isSealed) return findings;
  if (item === undefined)
    return [
      ...findings,
      inLedger(ledgerKeys.chunkProgress(jobId, chunk), 'the progress of a committed chunk is missing'),
    ];
  const progress = chunkProgress.from(item);
  const bound = outcomes.filter(isBound).length;
  if (progress.bound !== bound || progress.refused !== outcomes.length - bound || progress.size !== part.size)
    findings.push(inLedger(item, 'the counts are not those of its chunk'));
  if (!progress.finished) return findings;
  const name = objectNames.commitRecord(jobId, chunk, record.committedAt);
  const { finding } = await readNewest(context.vault, name, 'the locked commit record of a finished chunk');
  if (finding !== undefined) findings.push(finding);
  return findings;
}
