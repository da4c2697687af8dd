import { createHash } from 'node:crypto';
import { type Bytes, toHex, utf8 } from '../../codec/bytes.ts';
import { readTlvHeader, splitElements } from '../../codec/tlv.ts';
import { suiteByName } from '../../crypto/suite.ts';
import { invariant, Refusal } from '../../errors.ts';
import { EntryVerifier } from '../../euicc/entry-verifier.ts';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { scan } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import { STATUS_CODES, type StatusName } from '../../status-codes.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { ItemRefusal } from '../api/item-refusal.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { commonest, tellEnd } from '../counts/ends.ts';
import { type Failure, failureWrites } from '../counts/failures.ts';
import { readChecked } from '../life/checked-reads.ts';
import { useIsOver } from '../life/uploads.ts';
import {
  type IngestRecord,
  ingestRecord,
  ingestSliceCount,
  type RejectedEntry,
  type SliceProgress,
  sliceProgress,
  sliceRecord,
} from '../records/ingest.ts';
import { ingestPartition, ledgerKeys, PROGRESS, SLICE_NAME } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { openWorkOf, openWorkRecord } from '../records/work.ts';
import type { Trust } from '../trust/trust.ts';
import type { TrustedEum } from '../trust/trust-view.ts';
import { type EntrySource, type IndexedEntry, storeEntries } from './euicc-store.ts';

/** Entries that are verified and stored together: a task of the dispatcher, and what one answer of memory holds. */
export const SLICE = 500;

/** Names a batch for ever, from the party and its batchId. */
export function ingestIdOf(party: string, batchId: string): string {
  return createHash('sha256').update(`${party}\0${batchId}`).digest('hex').slice(0, 32);
}

export async function loadIngest(ledger: Ledger, id: string): Promise<IngestRecord> {
  const item = await ledger.get(ledgerKeys.ingest(id));
  invariant(item !== undefined, `there is no eUICC data batch ${id}`);
  return ingestRecord.from(item);
}

/**
 * Verifies and stores one slice of a batch. It stands by itself and may be repeated: entries that are stored already
 * are found so, and the first answer of the slice stays its answer.
 */
export async function ingestSlice(context: Context, trust: Trust, id: string, slice: number): Promise<void> {
  const { ledger } = context;
  if ((await ledger.get(ledgerKeys.ingestProgress(id, slice))) !== undefined) return;
  const ingest = await loadIngest(ledger, id);
  const { frame } = ingest;
  invariant(frame !== undefined, `the eUICC data batch ${id} was not read yet`);
  const ranges = { offsets: frame.sliceOffsets, hashes: frame.sliceHashes };
  const octets = await readChecked(context, ingest.batch, ranges, slice);
  const first = slice * frame.sliceSize;
  const elements = splitElements(octets).map((element, i) => ({ index: first + i, element }));
  const duplicates = new Set(frame.duplicates);
  const { deviceMakers } = frame;
  const rules = { ...ingest, deviceMakers, ...present({ entitlement: ingest.forwarded?.entitlement }) };
  const rejected = await ingestEntries(context, await eumOf(trust, ingest), rules, elements, (index) =>
    duplicates.has(index),
  );
  const progress: SliceProgress = {
    accepted: elements.length - rejected.length,
    rejected: rejected.length,
    ...present({ cause: commonest(rejected.map(({ code }) => code)) }),
  };
  await ledger.transact([
    {
      put: ledgerKeys.ingestSlice(id, slice),
      attributes: sliceRecord.to({ rejected }),
      when: 'absent',
    },
    {
      put: ledgerKeys.ingestProgress(id, slice),
      attributes: sliceProgress.to(progress),
      when: 'absent',
    },
    ...failureWrites({ kind: 'euiccData', party: ingest.party }, rejected.map(failureOf), {
      atMs: context.now(),
      id: `euicc-data-${id}-${slice}`,
    }),
  ]);
}

const failureOf = ({ code, eid, message }: RejectedEntry): Failure => ({
  code,
  detail: message,
  ...(eid !== '' && { eid }),
});

/** The EUM as it stands when the slice is done: revoked in the middle of a batch, the rest is refused. */
async function eumOf(trust: Trust, { eumChain, ciPkId }: IngestRecord): Promise<TrustedEum | Refusal> {
  try {
    return await (await trust.current()).eumOf(eumChain, ciPkId);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** Refusals whose subject is a one-time key. */
const KEY_REFUSALS: ReadonlySet<StatusName> = new Set([
  'oneTimeKeyInvalid',
  'oneTimeKeyInUse',
  'oneTimeKeyProofInvalid',
]);

/** What the entries of a batch are checked and stored with. */
export type EntryRules = Pick<IngestRecord, 'suite' | 'ciPkId' | 'eumChain' | 'euiccInfo2'> & {
  readonly deviceMakers: readonly string[];
  readonly entitlement?: EntrySource['entitlement'];
};

/** Verifies and stores entries; returns those refused, in their order. */
export async function ingestEntries(
  { ledger }: Context,
  eum: TrustedEum | Refusal,
  rules: EntryRules,
  elements: readonly { readonly index: number; readonly element: Bytes }[],
  isDuplicate: (index: number) => boolean,
): Promise<RejectedEntry[]> {
  const rejected: RejectedEntry[] = [];
  const reject = (index: number, eid: string, { code, message, subjectIdentifier: keyId }: Refusal) =>
    rejected.push({
      index,
      eid,
      ...(KEY_REFUSALS.has(code) && keyId !== undefined && { keyId }),
      code,
      message,
    });
  if (eum instanceof Refusal) {
    for (const { index, element } of elements) reject(index, eidOf(element), eum);
    return rejected;
  }
  const verifier = new EntryVerifier(eum.verified, suiteByName(rules.suite), rules.ciPkId, rules.euiccInfo2);
  const verified: IndexedEntry[] = [];
  for (const { index, element } of elements) {
    try {
      const entry = verifier.verify(element);
      if (isDuplicate(index)) throw new Refusal('eidDuplicate', 'the EID occurs twice in the batch');
      verified.push({ index, ...entry });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reject(index, eidOf(element), error);
    }
  }
  const source: EntrySource = {
    suite: rules.suite,
    ciPkId: toHex(rules.ciPkId),
    eumChain: rules.eumChain,
    deviceMakers: rules.deviceMakers,
    entitlement: rules.entitlement ?? 'replace',
  };
  for (const [entry, refusal] of await storeEntries(ledger, source, verified))
    reject(entry.index, entry.eid, refusal);
  return rejected.sort((a, b) => a.index - b.index);
}

/**
 * Completes a batch once every slice is done: its answer, its line of the audit log, and no more open work. After one that came
 * inside a large request that request is planned on.
 */
export async function finishIngest(context: Context, id: string): Promise<boolean> {
  const { ledger, dispatcher } = context;
  const item = await ledger.get(ledgerKeys.ingest(id));
  if (item === undefined) return true;
  const ingest = ingestRecord.from(item);
  const open = await ledger.get(ledgerKeys.openWork('euiccData', id));
  const { frame } = ingest;
  if (ingest.done !== undefined || open === undefined) {
    const request = ingest.forwarded && (await ledger.get(ledgerKeys.openWork('request', id)));
    if (request !== undefined) await dispatcher.submit(openWorkOf(request));
    return ingest.done !== undefined;
  }
  invariant(frame !== undefined, `the eUICC data batch ${id} was not read yet`);
  const { slices, accepted, rejected, cause } = await ingestProgress(ledger, id);
  if (slices < ingestSliceCount(frame)) return false;
  // of path B nobody asks for more than its request tells
  const isListed = ingest.forwarded !== undefined || rejected <= LISTED;
  const result = isListed ? undefined : await storeResult(context, id);
  const done = { accepted, rejected, ...present({ result }) };
  const { party, batchId } = ingest;
  const whole = { ...ingest, frame, done };
  const { done: written } = await ledger.transact([
    { put: item, attributes: ingestRecord.to(whole), when: { revision: item.revision } },
    { remove: open, when: { revision: open.revision } },
    ...(ingest.forwarded === undefined ? await endOfBatch(context, id, item, whole) : [goesOn(context, id)]),
  ]);
  if (!written) return await finishIngest(context, id);
  const end = { kind: 'euiccData', id, batchId, party, since: ingest.takenAt } as const;
  tellEnd(context, { ...end, done: accepted, refused: rejected, ...present({ code: cause }) });
  return ingest.forwarded === undefined ? true : await finishIngest(context, id);
}

/** The octets of a batch of path A go a day later, and the audit log tells of it. */
async function endOfBatch(
  context: Context,
  id: string,
  item: Item,
  { party, batchId, batch, frame, done }: IngestRecord & Required<Pick<IngestRecord, 'frame' | 'done'>>,
): Promise<readonly Write[]> {
  const { accepted, rejected } = done;
  const about = { batch: batchId, entries: frame.entries, accepted, rejected, body: batch.sha256 };
  const line = { event: 'euiccData.registered', by: party, about } as const;
  return [
    ...(await useIsOver(context, party, id, batch, item)),
    auditWrite(line, `euicc-data-${id}`, context.now()),
  ];
}

/** The request that a batch of path B came in is planned on: it is open work again, in place of its data. */
const goesOn = ({ now }: Context, jobId: string): Write => ({
  put: ledgerKeys.openWork('request', jobId),
  attributes: openWorkRecord.to({ tasks: 1, since: now() }),
  when: 'absent',
});

/** Refusals that an answer lists. */
export const LISTED = 1_000;

export async function ingestProgress(
  ledger: Ledger,
  id: string,
): Promise<SliceProgress & { readonly slices: number }> {
  const total = { slices: 0, accepted: 0, rejected: 0 };
  const causes: string[] = [];
  for await (const item of scan(ledger, ingestPartition(id), { prefix: PROGRESS })) {
    const { accepted, rejected, cause } = sliceProgress.from(item);
    if (cause !== undefined) causes.push(cause);
    total.slices += 1;
    total.accepted += accepted;
    total.rejected += rejected;
  }
  return { ...total, ...present({ cause: commonest(causes) }) };
}

/** The refusals of the slices that are done, in the order of the batch. */
export async function* rejectedEntries(ledger: Ledger, id: string): AsyncGenerator<RejectedEntry> {
  const slices = scan(ledger, ingestPartition(id), { prefix: SLICE_NAME, pageSize: 8 });
  for await (const item of slices) yield* sliceRecord.from(item).rejected;
}

/** A refusal as the EUM is told it. */
export function answered(entry: RejectedEntry): ItemRefusal & RejectedEntry {
  const { subject: subjectCode, reason: reasonCode } = STATUS_CODES[entry.code];
  return { ...entry, subjectCode, reasonCode };
}

/** All refusals as JSON lines; a repeat writes the same again. */
async function storeResult({ ledger, vault }: Context, id: string): Promise<ObjectRef> {
  async function* lines() {
    for await (const entry of rejectedEntries(ledger, id)) {
      const { code: _, keyId, ...told } = answered(entry);
      const members = { ...told, ...present({ keyId: keyId?.toUpperCase() }) };
      yield utf8(`${JSON.stringify(members)}\n`);
    }
  }
  return await vault.putStream(objectNames.euiccDataResult(id), lines());
}

/** The EID of an entry that was refused, where it begins with one. */
function eidOf(element: Bytes): string {
  const { headerLength, length } = readTlvHeader(element);
  const at = headerLength;
  return length >= 18 && element[at] === 0x80 && element[at + 1] === 16
    ? toHex(element.subarray(at + 2, at + 18))
    : '';
}
