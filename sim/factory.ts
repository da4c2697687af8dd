import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type Bytes, concat, fromHex, toHex } from '../shared/codec/bytes.ts';
import { storeDataApdus } from './euicc/apdu.ts';
import {
  type Bound,
  type Chain,
  decodeBppBatch,
  encodeLoadPackage,
  encodeProfileLoadingReport,
  type FpaCause,
  type ReportItem,
} from './ifpp-draft1.ts';
import { segmentBpp } from './segmentation.ts';
import { readOnly, SimError } from './tlv.ts';

/** The connection to one eUICC on the line. A throw means that it did not answer. */
export interface CardReader {
  /** One command APDU; returns response data and status word. */
  transmit(apdu: Bytes): Bytes | Promise<Bytes>;
  /** Power off and on. */
  reset(): void | Promise<void>;
}

/** The line itself lost power: what the journal holds by then is all that a restart knows. */
export class FactoryUnplugged extends SimError {}

/** How one Bound Profile Package ended. */
export interface LoadingOutcome {
  readonly transactionId: Bytes;
  readonly eid: string;
  readonly at: Date;
  /** The BF37 of the eUICC. */
  readonly result?: Bytes;
  readonly fpaError?: { readonly cause: FpaCause; readonly statusWord?: Bytes; readonly detail?: string };
}

export interface FactoryOptions {
  /** File of one JSON line for each BPP that came to its end. */
  readonly journalFile: string;
  /** The reader that holds the eUICC of this EID, if the line can reach it. */
  readonly reader: (eid: string) => CardReader | undefined;
  readonly now?: () => Date;
  /** Times that an eUICC which stops answering is reset and tried again; 1 unless told otherwise. */
  readonly retries?: number;
  /** Fault injection: unplugs the whole line after this many APDUs. */
  readonly unplugAfterApdus?: number;
}

interface JournalLine {
  readonly transactionId: string;
  readonly eid: string;
  readonly at: string;
  readonly result?: string;
  readonly cause?: FpaCause;
  readonly statusWord?: string;
  readonly detail?: string;
}

/**
 * The device manufacturer's line with its FPA: loads a BppBatch (FF62) into eUICCs with no network, keeps a journal, and
 * writes the Profile Loading Report (FF63). A restart on the same journal goes on where the line stopped.
 */
export class Factory {
  readonly #options: FactoryOptions;
  readonly #now: () => Date;
  readonly #done = new Map<string, LoadingOutcome>();
  readonly #deletions: { signed: Bytes; at: Date }[] = [];
  #apdusLeft: number;

  constructor(options: FactoryOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#apdusLeft = options.unplugAfterApdus ?? Number.POSITIVE_INFINITY;
    this.#readJournal();
  }

  /** Outcomes by now, those of earlier runs on this journal included. */
  get outcomes(): LoadingOutcome[] {
    return [...this.#done.values()];
  }

  /** Loads every bound item that has no outcome yet, or could not be reached; returns the outcomes of this run. */
  async load(bppBatch: Bytes, progress?: (outcome: LoadingOutcome) => void): Promise<LoadingOutcome[]> {
    const { chains, items } = decodeBppBatch(bppBatch);
    const fresh: LoadingOutcome[] = [];
    for (const { eid, bound } of items) {
      if (bound === undefined || this.#isDone(bound)) continue;
      const outcome = await this.#loadOne(eid, bound, chains[bound.chain]);
      this.#write(outcome);
      fresh.push(outcome);
      progress?.(outcome);
    }
    return fresh;
  }

  /** An eUICC that was not there may be there now. */
  #isDone({ transactionId }: Bound): boolean {
    const outcome = this.#done.get(toHex(transactionId));
    return outcome !== undefined && outcome.fpaError?.cause !== 'unreachable';
  }

  /** Adds an OtherSignedNotification, such as a deletion for return to stock, to the next report. */
  addNotification(signed: Bytes): void {
    this.#deletions.push({ signed, at: this.#now() });
  }

  /**
   * ProfileLoadingReport (FF63) in DER over the bound items of the batches, in their order. What the line never
   * came to is reported as notAttempted.
   */
  report(reportId: Bytes, bppBatches: readonly Bytes[]): Bytes {
    const items: ReportItem[] = [];
    for (const { eid, bound } of bppBatches.flatMap((batch) => decodeBppBatch(batch).items)) {
      if (bound === undefined) continue;
      items.push(reportItem(eid, bound, this.#done.get(toHex(bound.transactionId))));
    }
    for (const { signed, at } of this.#deletions) items.push({ otherSigned: signed, at });
    return encodeProfileLoadingReport({ reportId, items });
  }

  async #loadOne(eid: string, bound: Bound, chain: Chain | undefined): Promise<LoadingOutcome> {
    const reader = this.#options.reader(eid);
    if (reader === undefined) return this.#failed(eid, bound, 'unreachable');
    if (chain === undefined)
      return this.#failed(eid, bound, 'fpaFailure', { detail: 'no such chain in the batch' });
    const { transactionId, keyId, bpp } = bound;
    const commands = [encodeLoadPackage({ transactionId, keyId, chain }), ...segmentBpp(bpp)];
    for (let attempt = 0; attempt <= (this.#options.retries ?? 1); attempt++) {
      await reader.reset();
      const answer = await this.#send(reader, commands);
      if (answer === 'noAnswer') continue;
      if ('statusWord' in answer) return this.#failed(eid, bound, 'badStatusWord', answer);
      if (!isResult(answer.data)) return this.#failed(eid, bound, 'noResult');
      return { transactionId, eid, at: this.#now(), result: answer.data };
    }
    return this.#failed(eid, bound, 'damaged');
  }

  /** Sends commands until data come back, the last one is through or the eUICC refuses or falls silent. */
  async #send(
    reader: CardReader,
    commands: readonly Bytes[],
  ): Promise<'noAnswer' | { data: Bytes } | { statusWord: Bytes }> {
    for (const apdu of commands.flatMap((command) => storeDataApdus(command))) {
      const answer = await this.#exchange(reader, apdu);
      if (answer === undefined) return 'noAnswer';
      const [sw1, sw2] = answer.statusWord;
      if (sw1 !== 0x90 || sw2 !== 0x00) return { statusWord: answer.statusWord };
      if (answer.data.length > 0) return { data: answer.data };
    }
    return { data: new Uint8Array() };
  }

  /** One APDU and the GET RESPONSEs that 61xx asks for; undefined where the eUICC does not answer. */
  async #exchange(reader: CardReader, apdu: Bytes): Promise<{ data: Bytes; statusWord: Bytes } | undefined> {
    const data: Bytes[] = [];
    let command = apdu;
    for (;;) {
      if (this.#apdusLeft-- <= 0) throw new FactoryUnplugged('the line lost power');
      let answer: Bytes;
      try {
        answer = await reader.transmit(command);
      } catch {
        return undefined;
      }
      data.push(answer.subarray(0, -2));
      const statusWord = answer.subarray(-2);
      if (statusWord[0] !== 0x61) return { data: concat(...data), statusWord };
      command = Uint8Array.of(apdu[0] ?? 0x80, 0xc0, 0, 0, statusWord[1] ?? 0);
    }
  }

  #failed(
    eid: string,
    { transactionId }: Bound,
    cause: FpaCause,
    more: { statusWord?: Bytes; detail?: string } = {},
  ): LoadingOutcome {
    return { transactionId, eid, at: this.#now(), fpaError: { cause, ...more } };
  }

  #write(outcome: LoadingOutcome): void {
    const { transactionId, eid, at, result, fpaError } = outcome;
    const line: JournalLine = {
      transactionId: toHex(transactionId),
      eid,
      at: at.toISOString(),
      ...(result === undefined ? {} : { result: toHex(result) }),
      ...(fpaError === undefined ? {} : { cause: fpaError.cause }),
      ...(fpaError?.statusWord === undefined ? {} : { statusWord: toHex(fpaError.statusWord) }),
      ...(fpaError?.detail === undefined ? {} : { detail: fpaError.detail }),
    };
    const file = openSync(this.#options.journalFile, 'a');
    try {
      writeSync(file, `${JSON.stringify(line)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.#done.set(line.transactionId, outcome);
  }

  /** A last line without its newline was cut off by a power loss: that BPP is done again. */
  #readJournal(): void {
    const { journalFile } = this.#options;
    if (!existsSync(journalFile)) return;
    const text = readFileSync(journalFile, 'utf8');
    const lines = text.split('\n');
    if (lines.pop() !== '') appendFileSync(journalFile, '\n');
    for (const json of lines) {
      const outcome = readJournalLine(json);
      if (outcome !== undefined) this.#done.set(toHex(outcome.transactionId), outcome);
    }
  }
}

function readJournalLine(json: string): LoadingOutcome | undefined {
  let line: JournalLine;
  try {
    line = JSON.parse(json) as JournalLine;
  } catch {
    return undefined;
  }
  return {
    transactionId: fromHex(line.transactionId),
    eid: line.eid,
    at: new Date(line.at),
    ...(line.result === undefined ? {} : { result: fromHex(line.result) }),
    ...(line.cause === undefined
      ? {}
      : {
          fpaError: {
            cause: line.cause,
            ...(line.statusWord === undefined ? {} : { statusWord: fromHex(line.statusWord) }),
            ...(line.detail === undefined ? {} : { detail: line.detail }),
          },
        }),
  };
}

function isResult(data: Bytes): boolean {
  try {
    readOnly(data, 0xbf37);
    return true;
  } catch {
    return false;
  }
}

function reportItem(eid: string, { transactionId }: Bound, outcome: LoadingOutcome | undefined): ReportItem {
  if (outcome?.result !== undefined) return { euiccResult: outcome.result, at: outcome.at };
  if (outcome?.fpaError === undefined) return { fpaError: { transactionId, eid, cause: 'notAttempted' } };
  return { fpaError: { transactionId, eid, ...outcome.fpaError, at: outcome.at } };
}
