import type { Bytes } from '../../codec/bytes.ts';
import { invariant, Refusal, refuse } from '../../errors.ts';
import {
  EUICC_DATA_START,
  readEuiccDataStart,
  scanEuiccDataBatch,
} from '../../ifpp-draft1/euicc-data-scan.ts';
import { changeItems, unchanged, writes } from '../../ledger/change.ts';
import type { Item, Write } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import { rangeHashesOf } from '../../vault/range-hash.ts';
import type { ObjectRef, Vault } from '../../vault/vault.ts';
import type { Warning } from '../../warnings.ts';
import type { Context } from '../context.ts';
import { tellEnd } from '../counts/ends.ts';
import { failureWrites } from '../counts/failures.ts';
import { useIsOver } from '../life/uploads.ts';
import { unknownMakers } from '../parties/unknown-parties.ts';
import { type BatchFrame, type IngestRecord, ingestRecord, ingestSliceCount } from '../records/ingest.ts';
import { ledgerKeys } from '../records/keys.ts';
import { openWorkRecord, type Work } from '../records/work.ts';
import type { Trust } from '../trust/trust.ts';
import type { TrustedEum } from '../trust/trust-view.ts';
import { loadIngest, SLICE } from './euicc-batches.ts';
import { EumDataSignature } from './eum-data-signature.ts';

/*
 * From a batch of eUICC data that was taken on to one whose slices can be verified, or a refusal: it is read once as a whole.
 * A small one within its call, a large one as work of its own, which whoever stops in the middle begins again: reading takes
 * seconds for a GiB, and the signature over it has a hash that nobody can put aside half done.
 */

export type BatchStart = ReturnType<typeof readEuiccDataStart>;

/** The fields before the entries, from the first octets alone. */
export async function readBatchStart(
  vault: Pick<Vault, 'get'>,
  batch: Bytes | ObjectRef,
): Promise<BatchStart> {
  if (batch instanceof Uint8Array) return readEuiccDataStart(batch, batch.length);
  const length = Math.min(batch.size, EUICC_DATA_START);
  return readEuiccDataStart(await vault.get(batch, { offset: 0, length }), batch.size);
}

/** Refuses a batch of an EUM that this party does not speak for. */
export function requireSpeaksFor({ record, verified }: TrustedEum, party: string): void {
  if (record.party !== party)
    refuse('requesterNotAllowed', 'the caller does not speak for this EUM', {
      subjectIdentifier: verified.eumKeyId,
    });
}

/** Reads a batch to its end, with flat memory; refuses what is no batch, by its place, and one that is not signed as it has to be. */
export async function readFrame(
  { ledger, vault }: Pick<Context, 'ledger' | 'vault'>,
  eum: TrustedEum,
  batch: ObjectRef,
  entriesAt: number,
): Promise<BatchFrame> {
  const signature = new EumDataSignature(eum);
  const scanned = await scanEuiccDataBatch(vault.getStream(batch), entriesAt, SLICE, (piece) =>
    signature.update(piece),
  );
  const { entries, sliceOffsets, duplicates, deviceManufacturers: deviceMakers, eumDataSignature } = scanned;
  signature.check(eumDataSignature);
  if (deviceMakers === undefined || deviceMakers.length === 0)
    refuse(
      'mandatoryElementMissing',
      'deviceManufacturers is needed on Esed1: it says who may bind these eUICCs',
    );
  const empty: Warning = { code: 'nothingInside', message: 'the batch has no entries' };
  return {
    deviceMakers,
    entries,
    sliceSize: SLICE,
    sliceOffsets,
    sliceHashes: await rangeHashesOf(vault.getStream(batch), sliceOffsets),
    duplicates,
    // what the EUM should look at; said once, in every answer about the batch
    warnings: [...(entries === 0 ? [empty] : []), ...(await unknownMakers(ledger, deviceMakers))],
  };
}

/** What is to be done next for a batch that is neither refused nor done. */
export const workOn = (id: string, { frame }: Pick<IngestRecord, 'frame'>): Work =>
  frame === undefined
    ? { kind: 'frames', id, tasks: 1 }
    : { kind: 'euiccData', id, tasks: ingestSliceCount(frame) };

/** Reads a large batch, which was taken on unread; may be repeated. */
export async function frameBatch(context: Context, trust: Trust, id: string): Promise<void> {
  const ingest = await loadIngest(context.ledger, id);
  if (isRead(ingest)) return;
  const view = await trust.current();
  try {
    const eum = await view.eumOf(ingest.eumChain, ingest.ciPkId);
    requireSpeaksFor(eum, ingest.party);
    const { entriesAt } = await readBatchStart(context.vault, ingest.batch);
    await slicesFollow(context, id, await readFrame(context, eum, ingest.batch, entriesAt));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await refuseBatch(context, id, error, view.epoch);
  }
}

/** Hands a batch that was read to the verification of its slices; may be repeated. */
export async function finishFrames({ ledger, dispatcher }: Context, id: string): Promise<boolean> {
  const item = await ledger.get(ledgerKeys.ingest(id));
  if (item === undefined) return true;
  const ingest = ingestRecord.from(item);
  if (ingest.refused !== undefined || ingest.done !== undefined) return true;
  if (ingest.frame === undefined) return false;
  await dispatcher.submit(workOn(id, ingest));
  return true;
}

const isRead = ({ frame, refused }: IngestRecord) => frame !== undefined || refused !== undefined;

/** The batch was read: its slices are open work in place of it. */
async function slicesFollow(context: Context, id: string, frame: BatchFrame): Promise<void> {
  await settle(context, id, { frame }, async (_, { takenAt: since }) => [
    {
      put: ledgerKeys.openWork('euiccData', id),
      attributes: openWorkRecord.to({ tasks: ingestSliceCount(frame), since }),
      when: 'absent',
    },
  ]);
}

/** The batch is none: a repeat of its call is told why, and its octets go a day later. */
async function refuseBatch(
  context: Context,
  id: string,
  refusal: Refusal,
  trustEpoch: number,
): Promise<void> {
  const { code, message, subjectIdentifier, offset } = refusal;
  const refused = { code, message, ...present({ subjectIdentifier, offset }), trustEpoch };
  const ended = await settle(context, id, { refused }, async (item, { party, batch }) => [
    ...(await useIsOver(context, party, id, batch, item)),
    ...failureWrites({ kind: 'euiccData', party }, [{ code, detail: message }], {
      atMs: context.now(),
      id: `euicc-data-${id}-${item.revision}`,
    }),
  ]);
  if (ended === undefined) return;
  const { batchId, party, takenAt: since } = ended;
  // one batch: how many entries it has nobody knows
  tellEnd(context, { kind: 'frames', id, batchId, party, since, done: 0, refused: 1, code });
}

/** What reading it came to, once; the batch where it was this call that wrote it. */
async function settle(
  { ledger }: Context,
  id: string,
  outcome: Pick<IngestRecord, 'frame' | 'refused'>,
  alongside: (item: Item, ingest: IngestRecord) => Promise<readonly Write[]>,
): Promise<IngestRecord | undefined> {
  return await changeItems<IngestRecord | undefined>(ledger, async () => {
    const [item, open] = await ledger.getMany([ledgerKeys.ingest(id), ledgerKeys.openWork('frames', id)]);
    invariant(item !== undefined, `there is no eUICC data batch ${id}`);
    const ingest = ingestRecord.from(item);
    if (open === undefined || isRead(ingest)) return unchanged(undefined);
    const changes: Write[] = [
      {
        put: item,
        attributes: ingestRecord.to({ ...ingest, ...outcome }),
        when: { revision: item.revision },
      },
      { remove: open, when: { revision: open.revision } },
      ...(await alongside(item, ingest)),
    ];
    return writes(changes, ingest);
  });
}

/** As it was thrown when the batch was read. */
export function refusalOf({
  code,
  message,
  subjectIdentifier,
  offset,
}: NonNullable<IngestRecord['refused']>): Refusal {
  return new Refusal(code, message, present({ subjectIdentifier, offset }));
}
