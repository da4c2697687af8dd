import type { Bytes } from '../../shared/codec/bytes.ts';

interface Pack {
  readonly header: Bytes;
  readonly entries: (Bytes | undefined)[];
  /** Places whose octets are others for a while. */
  readonly damaged: Set<number>;
}

/** What watches the PPK vault. */
export interface PpkWatcher {
  put(pack: string, entries: readonly Bytes[]): void;
}

/** Packs of entries that are gone once they are destroyed. */
export class SimulatedPpks {
  readonly #packs = new Map<string, Pack>();
  watcher: PpkWatcher = { put: () => undefined };

  putPack(pack: string, header: Bytes, entries: readonly Bytes[]): void {
    if (this.#packs.has(pack)) return;
    const kept = {
      header: Uint8Array.from(header),
      entries: entries.map((entry) => Uint8Array.from(entry)),
      damaged: new Set<number>(),
    };
    this.#packs.set(pack, kept);
    this.watcher.put(pack, kept.entries);
  }

  header(pack: string): Bytes | undefined {
    const header = this.#packs.get(pack)?.header;
    return header && Uint8Array.from(header);
  }

  entries(pack: string, positions: readonly number[]): (Bytes | undefined)[] {
    const entries = this.#packs.get(pack)?.entries;
    return positions.map((position) => {
      const entry = entries?.[position];
      return entry && Uint8Array.from(entry);
    });
  }

  destroy(pack: string, positions: readonly number[]): void {
    const entries = this.#packs.get(pack)?.entries;
    if (entries !== undefined) for (const position of positions) entries[position] = undefined;
  }

  /**
   * Lays other octets in the place of an entry. The answer puts back what was there, unless it was destroyed meanwhile.
   * What is damaged already stays as it is.
   */
  damage(pack: string, position: number, octets: Bytes): () => void {
    const { entries, damaged } = this.#packs.get(pack) ?? { entries: [], damaged: new Set() };
    const before = entries[position];
    if (before === undefined || damaged.has(position)) return () => undefined;
    damaged.add(position);
    entries[position] = octets;
    return () => {
      damaged.delete(position);
      if (entries[position] !== undefined) entries[position] = before;
    };
  }

  /** How many places a pack has. */
  size(pack: string): number {
    return this.#packs.get(pack)?.entries.length ?? 0;
  }

  names(): string[] {
    return [...this.#packs.keys()];
  }

  destroyPack(pack: string): void {
    this.#packs.delete(pack);
  }
}
