import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../errors.ts';
import { present } from '../../present.ts';
import { RecordFault } from '../records/record.ts';

/** Something that is not as it should be, named so that a person can look at it. */
export interface Finding {
  readonly where: 'ledger' | 'vault' | 'PPK vault' | 'audit log' | 'files';
  /** Partition and sort key of an item, name of an object or of a pack of keys, number of a line, path of a file. */
  readonly name: string;
  /** What is wrong, in words; identifiers only, never a value that may be a secret. */
  readonly problem: string;
  /** Present where it is repaired without loss; see repair.ts. */
  readonly repair?: Repair;
}

/** How a finding is repaired: what counts for nothing is removed, what had to be destroyed is destroyed, what is lost is closed, counts are made anew. */
export type Repair =
  | { readonly removeObject: string }
  | { readonly destroyPack: string }
  | { readonly destroyPpks: { readonly pack: string; readonly places: readonly number[] } }
  | { readonly recountOrder: string }
  | { readonly recountJob: string }
  /** Profiles of this order that nobody has and whose PPKs are gone: they can never be bound. */
  | { readonly closeLost: string }
  /** Data keys that are there under another name than their records say, of this order among others. */
  | { readonly adoptDataKeys: string }
  | { readonly closeFile: string };

/** A bounded piece of a stage: what it found, how many things it looked at, and where to go on. */
export interface Slice {
  readonly findings: readonly Finding[];
  readonly looked: number;
  /** Undefined at the end of the stage; where a stage cannot tell, the next slice is none. */
  readonly cursor: string | undefined;
}

export const inLedger = (
  key: { readonly partition: string; readonly sort: string },
  problem: string,
): Finding => ({
  where: 'ledger',
  name: `${key.partition} / ${key.sort}`,
  problem,
});

export const inVault = (name: string, problem: string, repair?: Repair): Finding => ({
  where: 'vault',
  name,
  problem,
  ...present({ repair }),
});

/**
 * Checks each of these. A store that cannot read what belongs to one, or a record that does not decode, is a finding
 * about that one; what may pass, such as a store that cannot be reached, ends the whole. What was found is looked at
 * again after a moment, since a server may be writing: only what is found twice is told.
 */
export async function checkEach<T>(
  things: readonly T[],
  check: (thing: T) => Promise<readonly Finding[]>,
  place: (thing: T) => Finding,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const thing of things) {
    const first = await checkOne(thing, check, place);
    if (first.length === 0) continue;
    await sleep(AGAIN_MS);
    const again = new Set((await checkOne(thing, check, place)).map(textOf));
    found.push(...first.filter((finding) => again.has(textOf(finding))));
  }
  return found;
}

/** Milliseconds between two looks at what seems wrong. */
const AGAIN_MS = 20;

async function checkOne<T>(
  thing: T,
  check: (thing: T) => Promise<readonly Finding[]>,
  place: (thing: T) => Finding,
): Promise<readonly Finding[]> {
  try {
    return await check(thing);
  } catch (error) {
    if (!(error instanceof Fault) || error.retryable) throw error;
    const at = place(thing);
    const name = error instanceof RecordFault ? error.place : at.name;
    return [{ ...at, name, problem: error.message }];
  }
}

const textOf = ({ where, name, problem }: Finding) => `${where} ${name} ${problem}`;
