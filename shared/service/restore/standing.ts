import { randomUUID } from 'node:crypto';
import { refuse } from '../../errors.ts';
import type { Item, Ledger } from '../../ledger/ledger.ts';
import { NO_PORT } from '../../no-port.ts';
import type { RuntimeConfig } from '../../runtime-config.ts';
import type { PpkVault, Vault } from '../../vault/vault.ts';
import { ledgerKeys } from '../records/keys.ts';
import { COMMIT_RECORDS, parseCommitRecordName } from '../records/locked-records.ts';
import { type Frozen, type StandingRecord, standingRecord } from '../records/standing.ts';

/** Newest commit records that the ledger must know; more than one, since clocks of processes differ. */
const NEWEST = 50;
/** Milliseconds for which a look counts. A ledger is frozen for everybody within this time. */
const LOOK_MS = 30_000;

/**
 * Whether this ledger is the one that everything since its last write was written to (I9). One that was restored from
 * a backup is frozen: it is read, never changed, until `smdpf restore` has brought it up to date. It shows by
 *
 * - the mark `frozen`, which anybody who finds out leaves for the others;
 * - its name, where the restored table has another one;
 * - its anchor in the PPK vault, which is in no backup;
 * - the newest commit records of the vault: each of them was in the ledger before it was written.
 */
export class Standing {
  readonly #ledger: Ledger;
  readonly #vault: Vault | undefined;
  readonly #ppks: PpkVault | undefined;
  readonly #name: string;
  readonly #now: () => number;
  #look: { readonly at: number; readonly why: Promise<string | undefined> } | undefined;
  #newestKnown = false;

  /** `ledger` is the one below the guard. */
  constructor(
    { ledger, vault, ppks, now }: { ledger: Ledger; vault: Vault; ppks: PpkVault; now: () => number },
    config: Pick<RuntimeConfig, 'ledger' | 'vault' | 'ppks'>,
  ) {
    this.#ledger = ledger;
    this.#vault = config.vault === NO_PORT ? undefined : vault;
    this.#ppks = config.ppks === NO_PORT ? undefined : ppks;
    this.#name = ledgerName(config.ledger);
    this.#now = now;
  }

  /** Throws where nothing may be changed (1.2/5.1). */
  async requireLive(): Promise<void> {
    const at = this.#now();
    if (this.#look === undefined || Math.abs(at - this.#look.at) >= LOOK_MS)
      this.#look = { at, why: this.why() };
    const { why } = this.#look;
    let reason: string | undefined;
    try {
      reason = await why;
    } catch (error) {
      this.#look = undefined;
      throw error;
    }
    if (reason === undefined) return;
    this.#look = undefined;
    refuse('ledgerFrozen', reason);
  }

  /** Why the ledger is frozen; undefined where it is not. */
  async why(): Promise<string | undefined> {
    for (;;) {
      const item = await this.#ledger.get(ledgerKeys.standing);
      const record = item && standingRecord.from(item);
      if (record?.frozen !== undefined) return record.frozen.why;
      if (record !== undefined && record.name !== this.#name)
        return `the ledger is a copy of ${record.name}, and was not reconciled`;
      if (record?.anchor !== undefined && this.#ppks !== undefined) {
        const isThere = (await this.#ppks.header(record.anchor)) !== undefined;
        // somebody may have renewed it between the two looks
        const again = isThere ? item : await this.#ledger.get(ledgerKeys.standing);
        if (again?.revision !== item?.revision) continue;
        if (!isThere)
          return 'the ledger is older than the PPK vault, or that is another one: it was restored and not reconciled';
      }
      if (!(await this.#knowsNewest())) {
        const why = 'the vault has commits that the ledger does not know: it was restored and not reconciled';
        if (await this.#put(item, { ...this.#blank(record), frozen: await this.#frozen(why) })) return why;
        continue;
      }
      if (record !== undefined || (await this.#put(item, this.#blank(undefined)))) return undefined;
    }
  }

  async record(): Promise<StandingRecord | undefined> {
    const item = await this.#ledger.get(ledgerKeys.standing);
    return item && standingRecord.from(item);
  }

  /** Freezes the ledger for everybody, by hand or before a restore; what is frozen stays as it is. */
  async freeze(why: string): Promise<Frozen> {
    for (;;) {
      const item = await this.#ledger.get(ledgerKeys.standing);
      const record = this.#blank(item && standingRecord.from(item));
      if (record.frozen !== undefined) return record.frozen;
      const frozen = await this.#frozen(why);
      this.#look = undefined;
      if (await this.#put(item, { ...record, frozen })) return frozen;
    }
  }

  /** The reconciled ledger is the ledger: under its own name and, embedded, with an anchor of its own. */
  async thaw(): Promise<void> {
    for (;;) {
      const item = await this.#ledger.get(ledgerKeys.standing);
      const { frozen, anchor, restored, ...rest } = this.#blank(item && standingRecord.from(item));
      if (frozen === undefined) return;
      const next = { ...rest, name: this.#name, restored: restored + 1 };
      if (await this.#replaceAnchor(item, anchor, next)) return;
    }
  }

  /** From here on every older state of this ledger is known to be old. For embedded ledgers; a frozen one is left alone. */
  async renewAnchor(): Promise<void> {
    if (this.#ppks === undefined || (await this.why()) !== undefined) return;
    for (;;) {
      const item = await this.#ledger.get(ledgerKeys.standing);
      const { anchor, ...rest } = this.#blank(item && standingRecord.from(item));
      if (await this.#replaceAnchor(item, anchor, rest)) return;
    }
  }

  /** The new anchor is there before the ledger names it; the old one goes after. */
  async #replaceAnchor(item: Item | undefined, before: string | undefined, next: StandingRecord) {
    // tables have names: only an embedded ledger needs an anchor
    if (this.#ppks === undefined || this.#name !== EMBEDDED) return await this.#put(item, next);
    const anchor = `ledger/${randomUUID()}`;
    await this.#ppks.putPack(anchor, Buffer.from('ledger'), []);
    if (!(await this.#put(item, { ...next, anchor }))) {
      await this.#ppks.destroyPack(anchor);
      return false;
    }
    if (before !== undefined) await this.#ppks.destroyPack(before);
    return true;
  }

  async #knowsNewest(): Promise<boolean> {
    if (this.#vault === undefined || this.#newestKnown) return true;
    const keys = [];
    for await (const name of this.#vault.names(COMMIT_RECORDS)) {
      const { jobId, chunk, committedAt } = parseCommitRecordName(name);
      if (committedAt === undefined) continue;
      keys.push(ledgerKeys.chunk(jobId, chunk));
      if (keys.length === NEWEST) break;
    }
    const chunks = await this.#ledger.getMany(keys);
    this.#newestKnown = chunks.every((chunk) => chunk !== undefined);
    return this.#newestKnown;
  }

  async #frozen(why: string): Promise<Frozen> {
    const head = await this.#ledger.get(ledgerKeys.auditHead);
    return { since: this.#now(), why, auditHead: Number(head?.attributes.sequence ?? 0) };
  }

  #blank(record: StandingRecord | undefined): StandingRecord {
    return record ?? { name: this.#name, restored: 0 };
  }

  async #put(before: Item | undefined, record: StandingRecord): Promise<boolean> {
    const { done } = await this.#ledger.write({
      put: ledgerKeys.standing,
      attributes: standingRecord.to(record),
      when: before === undefined ? 'absent' : { revision: before.revision },
    });
    return done;
  }
}

/** A file has no name of its own: it may be moved with its folder. */
const EMBEDDED = 'embedded';

function ledgerName(uri: string): string {
  return uri.startsWith('sqlite:') ? EMBEDDED : uri;
}
