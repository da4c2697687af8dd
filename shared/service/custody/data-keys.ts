import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { type Bytes, wipe } from '../../codec/bytes.ts';
import { untilDone } from '../../concurrency.ts';
import { rewrapDataKey } from '../../keys/data-key.ts';
import type { UseOptions, WrapContext } from '../../keys/provider.ts';
import { decodeWrappedKey, encodeWrappedKey } from '../../keys/wrapped-key.ts';
import { changedTooFast, removeItem } from '../../ledger/change.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { type WrappedUnder, wrappedUnder } from '../records/custody.ts';
import { ledgerKeys } from '../records/keys.ts';
import type { KeyAssignments } from './key-assignments.ts';
import type { KeyRing } from './key-ring.ts';

/** How many opened data keys are kept, and for how long. An entry beyond either limit is wiped. */
export interface DataKeyLimits {
  readonly count: number;
  /** Milliseconds since it was unwrapped; not extended by use. */
  readonly ageMs: number;
}

export const DEFAULT_DATA_KEY_LIMITS: DataKeyLimits = { count: 64, ageMs: 60_000 };

export interface NewDataKey {
  readonly dataKey: KeyObject;
  /** To be stored: see shared/keys/wrapped-key.ts. */
  readonly stored: Bytes;
}

interface Kept {
  readonly octets: Promise<Bytes>;
  readonly timer: NodeJS.Timeout;
}

/**
 * Data keys: made and opened here, each stored with the name of the key that wraps it. Every stored one has an entry
 * in the partition of its wrapping key, so that a rotation finds them all, and nothing is left behind unseen.
 */
export class DataKeys {
  readonly #ledger: Ledger;
  readonly #keyRing: KeyRing;
  readonly #assignments: KeyAssignments;
  readonly #limits: DataKeyLimits;
  /** In the order in which they were unwrapped. */
  readonly #kept = new Map<string, Kept>();

  constructor(
    ledger: Ledger,
    keyRing: KeyRing,
    assignments: KeyAssignments,
    limits: DataKeyLimits = DEFAULT_DATA_KEY_LIMITS,
  ) {
    this.#ledger = ledger;
    this.#keyRing = keyRing;
    this.#assignments = assignments;
    this.#limits = limits;
  }

  /** A new data key under the wrapping key in use, to be stored at this place under this name. */
  async generate(name: string, place: WrappedUnder, context: WrapContext): Promise<NewDataKey> {
    return await untilDone(async () => {
      const wrapping = await this.#keyRing.wrapping(await this.#assignments.current('wrapping'));
      await this.note(wrapping.uri, name, place);
      // a rotation from here on sees the entry; one before it makes us start over
      const { uri } = await this.#keyRing.wrapping(await this.#assignments.current('wrapping'));
      if (uri === wrapping.uri) {
        const { plaintext, wrapped } = await wrapping.generateDataKey(context);
        const dataKey = createSecretKey(plaintext);
        wipe(plaintext);
        return { value: { dataKey, stored: encodeWrappedKey({ keyUri: wrapping.uri, wrapped }) } };
      }
      await this.forget(wrapping.uri, name);
      return undefined;
    }, changedTooFast);
  }

  /** The data key of what `generate` or `rewrap` gave; unwrapped, or kept from an unwrap shortly before. */
  async open(stored: Bytes, context: WrapContext, use?: UseOptions): Promise<KeyObject> {
    const name = createHash('sha256').update(stored).update(JSON.stringify(context)).digest('base64');
    const kept = this.#kept.get(name)?.octets;
    const octets = kept ?? this.#unwrap(stored, context, use);
    // in line before anything that wipes the octets
    const dataKey = octets.then((plaintext) => createSecretKey(plaintext));
    if (kept === undefined) this.#keep(name, octets);
    return await dataKey;
  }

  /** The same data key under another wrapping key; undefined if it is under that one already. */
  async rewrap(stored: Bytes, to: string, context: WrapContext): Promise<Bytes | undefined> {
    const { keyUri, wrapped } = decodeWrappedKey(stored);
    const next = await this.#keyRing.wrapping(to);
    if (keyUri === next.uri) return undefined;
    const again = await rewrapDataKey(await this.#keyRing.wrapping(keyUri), next, wrapped, context);
    return encodeWrappedKey({ keyUri: next.uri, wrapped: again });
  }

  /** Enters a data key in the list of its wrapping key; before it is stored, so that the list is never short. */
  async note(keyUri: string, name: string, place: WrappedUnder): Promise<void> {
    const put = ledgerKeys.wrappedUnder(keyUri, name);
    await this.#ledger.write({ put, attributes: wrappedUnder.to(place), when: 'absent' });
  }

  async forget(keyUri: string, name: string): Promise<void> {
    await removeItem(this.#ledger, ledgerKeys.wrappedUnder(keyUri, name));
  }

  /** Wipes what is kept. */
  async close(): Promise<void> {
    await Promise.all([...this.#kept.keys()].map((name) => this.#drop(name)));
  }

  async #unwrap(stored: Bytes, context: WrapContext, use?: UseOptions): Promise<Bytes> {
    const { keyUri, wrapped } = decodeWrappedKey(stored);
    return (await this.#keyRing.wrapping(keyUri)).unwrapDataKey(wrapped, context, use);
  }

  #keep(name: string, octets: Promise<Bytes>): void {
    const timer = setTimeout(() => void this.#drop(name), this.#limits.ageMs);
    timer.unref();
    this.#kept.set(name, { octets, timer });
    octets.catch(() => this.#drop(name));
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#limits.count) break;
      void this.#drop(oldest);
    }
  }

  async #drop(name: string): Promise<void> {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    this.#kept.delete(name);
    clearTimeout(kept.timer);
    await kept.octets.then(wipe, () => undefined);
  }
}
