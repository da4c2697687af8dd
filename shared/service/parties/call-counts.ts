import { toHex } from '../../codec/bytes.ts';
import { present } from '../../present.ts';
import type { AnsweredCall } from '../api/caller.ts';
import type { Context } from '../context.ts';
import { type CallCounts as Counted, callCounts } from '../records/inventory.ts';
import { ledgerKeys } from '../records/keys.ts';

const MINUTE_MS = 60_000;
/** Lines of one minute: more callers and codes than that are counted as one. */
const LINES = 500;

type Line = Counted['calls'][number];

/**
 * Who called what: each process counts its calls by party, function and outcome, and writes each minute's counts as one
 * item. A call writes nothing. What a process that is killed has counted of its last minute is lost; its changes are in
 * the audit log all the same.
 */
export class CallCounts {
  readonly #context: Pick<Context, 'ledger' | 'now' | 'random'>;
  readonly #process: string;
  #minute = 0;
  #lines = new Map<string, Line>();
  /** Of the minute's item, once it is written. */
  #revision: number | undefined;
  #changed = false;
  #written: Promise<void> = Promise.resolve();

  constructor(context: Pick<Context, 'ledger' | 'now' | 'random'>) {
    this.#context = context;
    this.#process = toHex(context.random(8));
  }

  add({ function: called, party, status, subjectCode, reasonCode }: AnsweredCall): void {
    const line = { function: called, status, ...present({ party, subjectCode, reasonCode }) };
    let name = JSON.stringify(line);
    if (!this.#lines.has(name) && this.#lines.size >= LINES) name = 'others';
    const known = this.#lines.get(name);
    const others = { function: 'others', status } as const;
    this.#lines.set(
      name,
      known ? { ...known, count: known.count + 1 } : { ...(name === 'others' ? others : line), count: 1 },
    );
    this.#changed = true;
  }

  /** Whether a minute has begun whose counts are not written yet, as after its first call. */
  get isDue(): boolean {
    return this.#changed && (this.#revision === undefined || this.#minute !== this.#now());
  }

  /** Writes what was counted, one at a time; the counts of another minute begin with what comes after. */
  write(): Promise<void> {
    const written = this.#written.then(() => this.#write());
    this.#written = written.catch(() => undefined);
    return written;
  }

  async #write(): Promise<void> {
    if (!this.#changed) return;
    const minute = this.#revision === undefined ? this.#now() : this.#minute;
    const attributes = callCounts.to({ calls: [...this.#lines.values()] });
    this.#changed = false;
    const put = ledgerKeys.callCounts(minute * MINUTE_MS, this.#process);
    const when = this.#revision === undefined ? 'absent' : { revision: this.#revision };
    const outcome = await this.#context.ledger.write({ put, attributes, when });
    this.#minute = minute;
    this.#revision = outcome.done ? outcome.revision : outcome.found?.revision;
    if (minute === this.#now()) return;
    this.#lines = new Map();
    this.#revision = undefined;
  }

  #now(): number {
    return Math.floor(this.#context.now() / MINUTE_MS);
  }
}
