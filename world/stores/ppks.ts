import type { Bytes } from '../../shared/codec/bytes.ts';

interface Pack {
  readonly header: Bytes;
  readonly entries: (Bytes | undefined)[];
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
    const kept = { header: Uint8Array.from(header), entries: entries.map((entry) => Uint8Array.from(entry)) };
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

  /** Lays other octets in the place of an entry. The answer puts back what was there, unless it was destroyed meanwhile. */
  damage(pack: string, position: number, octets: Bytes): () => void {
    const entries = this.#packs.get(pack)?.entries;
    const before = entries?.[position];
    if (entries === undefined || before === undefined) return () => undefined;
    entries[position] = octets;
    return () => {
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
