import { randomUUID } from 'node:crypto';
import { refuse } from '../../errors.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { NO_PORT } from '../../no-port.ts';
import type { RuntimeConfig } from '../../runtime-config.ts';
import type { PpkVault, Vault } from '../../vault/vault.ts';
import { headOf } from '../records/audit.ts';
import { ledgerKeys } from '../records/keys.ts';
import { COMMIT_RECORDS, parseCommitRecordName } from '../records/object-names.ts';
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
    return await changeItem<string | undefined>(this.#ledger, ledgerKeys.standing, async (item) => {
      const record = item && standingRecord.from(item);
      const known = record && (await this.#knownWhy(record));
      if (known !== undefined) return unchanged(known);
      if (!(await this.#knowsNewest())) {
        const why = 'the vault has commits that the ledger does not know: it was restored and not reconciled';
        const frozen = await this.#frozen(why);
        return becomes(standingRecord.to({ ...this.#blank(record), frozen }), why);
      }
      return record === undefined
        ? becomes(standingRecord.to(this.#blank(undefined)), undefined)
        : unchanged(undefined);
    });
  }

  /** What the record by itself says against the ledger. */
  async #knownWhy({ frozen, name, anchor }: StandingRecord): Promise<string | undefined> {
    if (frozen !== undefined) return frozen.why;
    if (name !== this.#name) return `the ledger is a copy of ${name}, and was not reconciled`;
    if (anchor === undefined || (await this.#isThere(anchor))) return undefined;
    // somebody may have renewed it since the record was read
    const again = await this.record();
    if (again !== undefined && again.anchor !== anchor) return await this.#knownWhy(again);
    return 'the ledger is older than the PPK vault, or that is another one: it was restored and not reconciled';
  }

  async #isThere(anchor: string): Promise<boolean> {
    return this.#ppks === undefined || (await this.#ppks.header(anchor)) !== undefined;
  }

  async record(): Promise<StandingRecord | undefined> {
    const item = await this.#ledger.get(ledgerKeys.standing);
    return item && standingRecord.from(item);
  }

  /** Freezes the ledger for everybody, by hand or before a restore; what is frozen stays as it is. */
  async freeze(why: string): Promise<Frozen> {
    return await changeItem<Frozen>(this.#ledger, ledgerKeys.standing, async (item) => {
      const record = this.#blank(item && standingRecord.from(item));
      if (record.frozen !== undefined) return unchanged(record.frozen);
      const frozen = await this.#frozen(why);
      this.#look = undefined;
      return becomes(standingRecord.to({ ...record, frozen }), frozen);
    });
  }

  /** The reconciled ledger is the ledger: under its own name and, embedded, with an anchor of its own. */
  async thaw(): Promise<void> {
    await this.#replaceAnchor(({ frozen, restored, ...rest }) =>
      frozen === undefined ? undefined : { ...rest, name: this.#name, restored: restored + 1 },
    );
  }

  /** From here on every older state of this ledger is known to be old. For embedded ledgers; a frozen one is left alone. */
  async renewAnchor(): Promise<void> {
    if (this.#ppks === undefined || (await this.why()) !== undefined) return;
    await this.#replaceAnchor((record) => record);
  }

  /**
   * Changes the record by `next`, which gives undefined where nothing is to be changed, and gives it a new anchor,
   * which is there before the ledger names it; the old one goes after.
   */
  async #replaceAnchor(next: (record: StandingRecord) => StandingRecord | undefined): Promise<void> {
    // tables have names: only an embedded ledger needs an anchor
    const ppks = this.#name === EMBEDDED ? this.#ppks : undefined;
    const fresh = ppks && `ledger/${randomUUID()}`;
    if (fresh !== undefined) await ppks?.putPack(fresh, Buffer.from('ledger'), []);
    const unused = await changeItem<string | undefined>(this.#ledger, ledgerKeys.standing, (item) => {
      const { anchor, ...record } = this.#blank(item && standingRecord.from(item));
      const changed = next(record);
      if (changed === undefined) return unchanged(fresh);
      return becomes(
        standingRecord.to(fresh === undefined ? changed : { ...changed, anchor: fresh }),
        anchor,
      );
    });
    if (unused !== undefined) await ppks?.destroyPack(unused);
  }

  async #knowsNewest(): Promise<boolean> {
    if (this.#vault === undefined || this.#newestKnown) return true;
    const keys = [];
    for await (const name of this.#vault.names(COMMIT_RECORDS)) {
      const { jobId, chunk } = parseCommitRecordName(name);
      keys.push(ledgerKeys.chunk(jobId, chunk));
      if (keys.length === NEWEST) break;
    }
    const chunks = await this.#ledger.getMany(keys);
    this.#newestKnown = chunks.every((chunk) => chunk !== undefined);
    return this.#newestKnown;
  }

  async #frozen(why: string): Promise<Frozen> {
    const head = await this.#ledger.get(ledgerKeys.auditHead);
    return { since: this.#now(), why, auditHead: headOf(head)?.sequence ?? 0 };
  }

  #blank(record: StandingRecord | undefined): StandingRecord {
    return record ?? { name: this.#name, restored: 0 };
  }
}

/** A file has no name of its own: it may be moved with its folder. */
const EMBEDDED = 'embedded';

function ledgerName(uri: string): string {
  return uri.startsWith('sqlite:') ? EMBEDDED : uri;
}
