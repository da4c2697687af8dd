import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { fromHex, toHex } from '../shared/codec/bytes.ts';
import { Fault } from '../shared/errors.ts';
import { ifPresent, present } from '../shared/present.ts';
import { FPA_CAUSE, type FpaCause } from '../sim/index.ts';
import type { Outcome } from './outcome.ts';

/** A line of the journal as it is stored, JSON and a newline. */
interface JournalLine {
  readonly station: string;
  readonly transactionId: string;
  readonly eid: string;
  readonly at: string;
  readonly result?: string;
  readonly cause?: FpaCause;
  readonly statusWord?: string;
  readonly detail?: string;
  readonly ms?: number;
}

/**
 * What a station did, one line for each attempt that came to its end, on disk before the next device is touched. The last line of
 * a package counts: one that an eUICC has signed is final, any other is tried again.
 */
export class Journal {
  readonly #file: number;
  readonly #station: string;
  readonly #outcomes: Map<string, Outcome>;

  /** The journal of this file, made where there is none. A last line that a power loss cut off is taken away. */
  constructor(path: string, station: string) {
    this.#outcomes = read(path, true);
    this.#station = station;
    this.#file = openSync(path, 'a', 0o644);
  }

  /** The outcomes of a journal that is left as it is. */
  static read(path: string): ReadonlyMap<string, Outcome> {
    return read(path, false);
  }

  /** The last outcome of each package, by transactionId in hexadecimal. */
  get outcomes(): ReadonlyMap<string, Outcome> {
    return this.#outcomes;
  }

  write(outcome: Outcome): void {
    const { transactionId, eid, at, result, fpaError, ms } = outcome;
    const line: JournalLine = {
      station: this.#station,
      transactionId: toHex(transactionId),
      eid,
      at: at.toISOString(),
      ...present({
        result: ifPresent(result, toHex),
        cause: fpaError?.cause,
        statusWord: ifPresent(fpaError?.statusWord, toHex),
        detail: fpaError?.detail,
        ms,
      }),
    };
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
    fsyncSync(this.#file);
    this.#outcomes.set(line.transactionId, outcome);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function read(path: string, repair: boolean): Map<string, Outcome> {
  if (!existsSync(path)) return new Map();
  const octets = readFileSync(path);
  const end = octets.lastIndexOf(0x0a) + 1;
  if (repair && end < octets.length) truncateSync(path, end);
  const lines = octets.toString('utf8', 0, end).split('\n').slice(0, -1);
  return new Map(
    lines.map((json, index) => {
      const outcome = parse(json);
      if (outcome === undefined)
        throw new Fault(
          'configuration',
          `line ${index + 1} of ${path} is not one of a station's journal: name this station's own, or a file that is not there yet`,
        );
      return [toHex(outcome.transactionId), outcome];
    }),
  );
}

function parse(json: string): Outcome | undefined {
  try {
    const line = JSON.parse(json) as Partial<Record<keyof JournalLine, unknown>>;
    const { transactionId, eid, at, result, cause, statusWord, detail, ms } = line;
    if (typeof transactionId !== 'string' || typeof eid !== 'string' || typeof at !== 'string')
      return undefined;
    const head = { transactionId: fromHex(transactionId), eid, at: new Date(at) };
    const time = typeof ms === 'number' ? { ms } : {};
    if (typeof result === 'string') return { ...head, result: fromHex(result), ...time };
    if (!isCause(cause)) return undefined;
    const fpaError = {
      cause,
      ...(typeof statusWord === 'string' && { statusWord: fromHex(statusWord) }),
      ...(typeof detail === 'string' && { detail }),
    };
    return { ...head, fpaError, ...time };
  } catch {
    return undefined;
  }
}

const isCause = (value: unknown): value is FpaCause =>
  typeof value === 'string' && Object.hasOwn(FPA_CAUSE, value);
