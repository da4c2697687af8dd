import type { Bytes } from '../codec/bytes.ts';
import type { FixedBase, FixedBaseTable } from './fixed-base-verification.ts';

/**
 * After so many signatures of one key a table is made of it: making one takes as long as it saves in about 700 verifications
 * (docs/performance-record.md), so that it costs no more than what was not saved before, whatever comes after.
 */
export const PAYS_AFTER = 700;

interface AskedKey {
  /** Signatures of it that held, since its table was put aside. */
  held: number;
  table?: FixedBaseTable;
  /** Its table did not judge as node:crypto: none is made again. */
  isWithout?: boolean;
}

/**
 * Keys of one curve by how much they have signed, and tables of those that pay. What was asked longest ago is put aside first, so that
 * there are never more than so many tables (150 kB each) in a thread, nor more counts.
 */
export class MuchAskedKeys {
  readonly #base: Pick<FixedBase, 'table'>;
  readonly #limits: { readonly paysAfter: number; readonly tables: number; readonly keys: number };
  /** By their points as Latin-1; the one asked last at the end. */
  readonly #keys = new Map<string, AskedKey>();

  constructor(
    base: Pick<FixedBase, 'table'>,
    limits: Partial<{ paysAfter: number; tables: number; keys: number }> = {},
  ) {
    this.#base = base;
    this.#limits = { paysAfter: PAYS_AFTER, tables: 4, keys: 64, ...limits };
  }

  /** The table of a key that has one. */
  tableOf(point: Bytes): FixedBaseTable | undefined {
    const name = nameOf(point);
    const key = this.#keys.get(name);
    if (key?.table === undefined) return undefined;
    this.#keys.delete(name);
    this.#keys.set(name, key);
    return key.table;
  }

  /**
   * Counts one signature that node:crypto has found good. The one with which a table pays is the first that it is held against, and a
   * wrong digest the second; a table that does not judge both as node:crypto does is not used.
   */
  held(point: Bytes, digest: Bytes, sigValue: Bytes): void {
    const name = nameOf(point);
    const key = this.#keys.get(name) ?? { held: 0 };
    this.#keys.delete(name);
    this.#keys.set(name, key);
    key.held += 1;
    if (key.held >= this.#limits.paysAfter && key.table === undefined && key.isWithout !== true) {
      const table = this.#base.table(point);
      if (table?.holds(digest, sigValue) === true && !table.holds(otherThan(digest), sigValue)) {
        key.table = table;
      } else {
        table?.free();
        key.isWithout = true;
      }
    }
    this.#putAside();
  }

  free(): void {
    for (const key of this.#keys.values()) key.table?.free();
    this.#keys.clear();
  }

  #putAside(): void {
    const oldest = [...this.#keys];
    const withTable = oldest.filter(([, { table }]) => table !== undefined);
    for (const [, key] of withTable.slice(0, Math.max(0, withTable.length - this.#limits.tables))) {
      key.table?.free();
      delete key.table;
      key.held = 0;
    }
    for (const [name, key] of oldest.slice(0, Math.max(0, oldest.length - this.#limits.keys))) {
      key.table?.free();
      this.#keys.delete(name);
    }
  }
}

const nameOf = (point: Bytes) =>
  Buffer.from(point.buffer, point.byteOffset, point.byteLength).toString('latin1');

function otherThan(digest: Bytes): Bytes {
  const other = Uint8Array.from(digest);
  other[0]! ^= 1;
  return other;
}
