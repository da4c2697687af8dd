import type { Bytes } from '../../codec/bytes.ts';
import { readRange, readRanges } from '../../vault/range-hash.ts';
import { type ByteRange, DamagedObject, type ObjectRef } from '../../vault/vault.ts';
import type { Context } from '../context.ts';

type Reader = Pick<Context, 'vault' | 'log'>;

/*
 * What is read is checked (I11): a whole object against the SHA-256 of its reference, which the vault does, a stretch
 * of one against a hash in the ledger, a profile against the seal of its PPK (supply/packs.ts). What does not match
 * raises an alarm, and nothing is made of it.
 */

/** One of the stretches of an object that a record of the ledger has offsets and hashes of. */
export async function readChecked(
  context: Reader,
  ref: ObjectRef,
  ranges: { readonly offsets: readonly number[]; readonly hashes: Bytes },
  number: number,
): Promise<Bytes> {
  return await withAlarm(context, () => readRange(context.vault, ref, ranges, number));
}

/** All these stretches, which follow each other, by one read. */
export async function readCheckedAll(
  context: Reader,
  ref: ObjectRef,
  ranges: { readonly offsets: readonly number[]; readonly hashes: Bytes },
): Promise<Bytes> {
  return await withAlarm(context, () => readRanges(context.vault, ref, ranges));
}

/** A whole object. */
export async function readWhole(context: Reader, ref: ObjectRef): Promise<Bytes> {
  return await withAlarm(context, () => context.vault.get(ref));
}

/** The newest whole object under a name that several attempts may write alike; undefined where none has. */
export async function readNewest(context: Reader, name: string): Promise<Bytes | undefined> {
  for (let ref = await context.vault.head(name); ref !== undefined; ) {
    try {
      return await readWhole(context, ref);
    } catch (error) {
      const newer = await context.vault.head(name);
      if (newer?.version === ref.version) throw error;
      // another attempt's has taken its place since
      ref = newer;
    }
  }
  return undefined;
}

/** A whole object, piece by piece: the last one comes only where all of them are right. */
export async function* streamWhole(context: Reader, ref: ObjectRef): AsyncGenerator<Bytes> {
  try {
    yield* context.vault.getStream(ref);
  } catch (error) {
    raiseAlarm(context, error);
    throw error;
  }
}

/** A stretch of an upload that is checked by what is made of it: nothing is known of it beforehand but the hash of the whole. */
export async function readStretch(context: Reader, ref: ObjectRef, range: ByteRange): Promise<Bytes> {
  return await withAlarm(context, () => context.vault.get(ref, range));
}

async function withAlarm<T>(context: Reader, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    raiseAlarm(context, error);
    throw error;
  }
}

function raiseAlarm({ log }: Reader, error: unknown): void {
  if (error instanceof DamagedObject) log({ event: 'alarm.object.damaged', object: error.object });
}
