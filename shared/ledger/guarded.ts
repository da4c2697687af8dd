import type {
  Item,
  ItemKey,
  Ledger,
  Page,
  Range,
  TransactionOutcome,
  TransactOptions,
  Walk,
  Write,
  WriteOutcome,
} from './ledger.ts';

/** A ledger that asks before each change whether it may be changed. Reads pass in any case. */
export class GuardedLedger implements Ledger {
  readonly #ledger: Ledger;
  readonly #requireLive: () => Promise<void>;

  /** `requireLive` throws where nothing may be changed. */
  constructor(ledger: Ledger, requireLive: () => Promise<void>) {
    this.#ledger = ledger;
    this.#requireLive = requireLive;
  }

  get spreads(): boolean {
    return this.#ledger.spreads;
  }

  get(key: ItemKey): Promise<Item | undefined> {
    return this.#ledger.get(key);
  }

  getMany(keys: readonly ItemKey[]): Promise<(Item | undefined)[]> {
    return this.#ledger.getMany(keys);
  }

  query(partition: string, range?: Range): Promise<Page> {
    return this.#ledger.query(partition, range);
  }

  walk(limit: number, cursor?: string): Promise<Walk> {
    return this.#ledger.walk(limit, cursor);
  }

  defects(): Promise<readonly string[]> {
    return this.#ledger.defects();
  }

  async write(write: Write): Promise<WriteOutcome> {
    await this.#requireLive();
    return await this.#ledger.write(write);
  }

  async writeMany(writes: readonly Write[]): Promise<WriteOutcome[]> {
    await this.#requireLive();
    return await this.#ledger.writeMany(writes);
  }

  async transact(writes: readonly Write[], options?: TransactOptions): Promise<TransactionOutcome> {
    await this.#requireLive();
    return await this.#ledger.transact(writes, options);
  }

  close(): Promise<void> {
    return this.#ledger.close();
  }
}
