import type { IntakeKey, KeyRegistry, SigningKey, WrappingKey } from '../../keys/registry.ts';

/** Opened keys, each opened once: opening asks the backend what the key is. */
export class KeyRing {
  readonly #registry: KeyRegistry;
  readonly #opened = new Map<string, Promise<unknown>>();

  constructor(registry: KeyRegistry) {
    this.#registry = registry;
  }

  binding(uri: string): Promise<SigningKey> {
    return this.#once(`binding ${uri}`, () => this.#registry.openSigningKey(uri, 'binding'));
  }

  delivery(uri: string): Promise<SigningKey> {
    return this.#once(`delivery ${uri}`, () => this.#registry.openSigningKey(uri, 'delivery'));
  }

  longTerm(uri: string): Promise<SigningKey> {
    return this.#once(`longTerm ${uri}`, () => this.#registry.openSigningKey(uri, 'longTerm'));
  }

  wrapping(uri: string): Promise<WrappingKey> {
    return this.#once(`wrapping ${uri}`, () => this.#registry.openWrappingKey(uri));
  }

  intake(uri: string): Promise<IntakeKey> {
    return this.#once(`intake ${uri}`, () => this.#registry.openIntakeKey(uri));
  }

  #once<T>(name: string, open: () => Promise<T>): Promise<T> {
    const known = this.#opened.get(name) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const opening = open();
    this.#opened.set(name, opening);
    // a backend that was out of reach is asked again next time
    opening.catch(() => this.#opened.delete(name));
    return opening;
  }
}
