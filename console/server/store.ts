import { Fault } from '../../shared/errors.ts';
import { demand, mismatchText, type ObjectSchema } from '../../shared/service/records/schema.ts';

/**
 * What the console remembers from one request to the next: sessions, and logins that are on their way. Names are digests of what a
 * browser has, so that nobody who reads the store gets in by it.
 */
export interface ConsoleStore {
  /** Undefined where there is none, or its time is over. */
  get(name: string): Promise<string | undefined>;
  /**
   * Keeps a value until `untilMs` (milliseconds since 1970) in the place of `before`, what `get` gave, or of nothing; false where
   * something else stands there by now.
   */
  put(name: string, value: string, untilMs: number, before?: string): Promise<boolean>;
  /** What was there, to one caller alone; it is gone. */
  take(name: string): Promise<string | undefined>;
}

/** More are not kept; the one that was used longest ago goes. */
const LIMIT = 2_000;

/** In the memory of one process: its restart ends all sessions. */
export class MemoryStore implements ConsoleStore {
  readonly #now: () => number;
  readonly #kept = new Map<string, { readonly value: string; readonly untilMs: number }>();

  /** `now` in milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  async get(name: string): Promise<string | undefined> {
    return this.#read(name);
  }

  async put(name: string, value: string, untilMs: number, before?: string): Promise<boolean> {
    if (this.#read(name) !== before) return false;
    // behind all others: the first one is that which was used longest ago
    this.#kept.delete(name);
    this.#kept.set(name, { value, untilMs });
    if (this.#kept.size > LIMIT) this.#sweep();
    return true;
  }

  async take(name: string): Promise<string | undefined> {
    const value = this.#read(name);
    this.#kept.delete(name);
    return value;
  }

  #read(name: string): string | undefined {
    const found = this.#kept.get(name);
    return found !== undefined && this.#now() < found.untilMs ? found.value : undefined;
  }

  #sweep(): void {
    for (const [name, { untilMs }] of this.#kept) if (this.#now() >= untilMs) this.#kept.delete(name);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > LIMIT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** What a store has kept, decoded. */
export function readStored<T>(schema: ObjectSchema<T>, stored: string): T {
  const value: unknown = JSON.parse(stored);
  demand(schema, value, (mismatch) => {
    throw new Fault('invariant', `what the console has kept has ${mismatchText(mismatch)}`);
  });
  return value;
}
