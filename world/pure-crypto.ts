import crypto, { type KeyObject } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/**
 * The same certificates are verified in every history: what a pure function of Node's crypto gave for the same octets
 * is remembered. Only what depends on nothing but its octets is; whatever is made, signed or agreed upon
 * is not.
 */
const LIMIT = 20_000;

class Memory<T> {
  readonly #known = new Map<string, T>();

  get(name: string, make: () => T): T {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const made = make();
    if (this.#known.size >= LIMIT) this.#known.clear();
    this.#known.set(name, made);
    return made;
  }
}

const text = (octets: Uint8Array): string =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');

/** A key object that was made of a PEM, by this PEM. */
const nameOf = new WeakMap<object, string>();

export function rememberPureCrypto(): void {
  const { createPublicKey, verify } = crypto;
  const keys = new Memory<KeyObject>();
  const verdicts = new Memory<boolean>();
  const remembered = {
    createPublicKey(from: Parameters<typeof createPublicKey>[0]): KeyObject {
      // as shared/crypto gives it: the PEM of a SubjectPublicKeyInfo
      if (typeof from !== 'string') return createPublicKey(from);
      const made = keys.get(from, () => createPublicKey(from));
      nameOf.set(made, from);
      return made;
    },
    verify(algorithm: string, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
      const of = nameOf.get(key);
      if (of === undefined) return verify(algorithm, data, key, signature);
      const name = `${algorithm} ${of} ${signature.length} ${text(signature)}${text(data)}`;
      return verdicts.get(name, () => verify(algorithm, data, key, signature));
    },
  };
  Object.assign(crypto, remembered);
  syncBuiltinESMExports();
}
