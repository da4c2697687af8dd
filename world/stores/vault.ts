import { createHash } from 'node:crypto';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import { type ByteRange, checkRange, DamagedObject, type ObjectRef } from '../../shared/vault/vault.ts';

interface Stored {
  readonly ref: ObjectRef;
  octets: Bytes;
  readonly locked: boolean;
}

/** What watches the vault: told of every object that comes, and of every name that goes. */
export interface VaultWatcher {
  put(ref: ObjectRef, octets: Bytes, locked: boolean): void;
  removed(name: string): void;
}

const sha256 = (octets: Bytes) => createHash('sha256').update(octets).digest('hex');

/** Objects by name, the newest version last. */
export class SimulatedVault {
  #objects = new Map<string, Stored[]>();
  /** Objects that are not found just now, and will be again. */
  readonly #lost = new Map<string, Stored[]>();
  readonly #damaged = new Set<Stored>();
  #versions = 0;
  watcher: VaultWatcher = { put: () => undefined, removed: () => undefined };

  put(name: string, body: Bytes, lock = false): ObjectRef {
    const versions = this.#objects.get(name) ?? [];
    if (lock && versions[0] !== undefined) return versions[0].ref;
    const octets = Uint8Array.from(body);
    const version = `v${++this.#versions}`;
    const ref: ObjectRef = { name, version, size: octets.length, sha256: sha256(octets) };
    this.#objects.set(name, [...versions, { ref, octets, locked: lock }]);
    this.watcher.put(ref, octets, lock);
    return ref;
  }

  get(ref: ObjectRef, range?: ByteRange): Bytes {
    const stored = this.#objects.get(ref.name)?.find((one) => one.ref.version === ref.version);
    if (stored === undefined) throw new Fault('vault', `the object ${ref.name} is not there`);
    const { offset, length } = checkRange(ref, range);
    if (range === undefined && sha256(stored.octets) !== ref.sha256) throw new DamagedObject(ref.name);
    if (offset + length > stored.octets.length) throw new DamagedObject(ref.name);
    return Uint8Array.from(stored.octets.subarray(offset, offset + length));
  }

  head(name: string): ObjectRef | undefined {
    return this.#objects.get(name)?.at(-1)?.ref;
  }

  names(prefix: string): string[] {
    return [...this.#objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  remove(name: string): void {
    if (!this.#lost.get(name)?.some(({ locked }) => locked)) this.#lost.delete(name);
    const left = (this.#objects.get(name) ?? []).filter(({ locked }) => locked);
    if (left.length > 0) this.#objects.set(name, left);
    else if (this.#objects.delete(name)) this.watcher.removed(name);
  }

  /** Octets as they lie, for damage and for a checker. */
  raw(name: string): Bytes | undefined {
    return this.#objects.get(name)?.at(-1)?.octets;
  }

  /**
   * Lays other octets under a name, undefined for none, and tells nobody. The answer puts back what was there, unless it
   * was removed or replaced meanwhile. What is damaged already stays as it is: of two that put back, the second would
   * put back the damage of the first.
   */
  damage(name: string, octets: Bytes | undefined): () => void {
    const versions = this.#objects.get(name);
    const stored = versions?.at(-1);
    if (versions === undefined || stored === undefined) return () => undefined;
    if (this.#damaged.has(stored) || this.#lost.has(name)) return () => undefined;
    if (octets === undefined) {
      this.#objects.delete(name);
      this.#lost.set(name, versions);
      return () => {
        const lost = this.#lost.get(name);
        this.#lost.delete(name);
        if (lost !== undefined) this.#objects.set(name, [...lost, ...(this.#objects.get(name) ?? [])]);
      };
    }
    const before = stored.octets;
    this.#damaged.add(stored);
    stored.octets = octets;
    return () => {
      this.#damaged.delete(stored);
      stored.octets = before;
    };
  }
}
