import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../../shared/ledger/ledger.ts';
import { openRuntime, type Runtime, type RuntimeOptions } from '../../shared/runtime.ts';
import type { PpkVault, Vault } from '../../shared/vault/vault.ts';
import type { Deployment } from '../support/deployment.ts';

/** The end of a process: every call that it still makes to a store ends like this, as if it were never made. */
export class Death extends Error {}

export interface Fate {
  /** The process dies at its n-th store call, counted from 1; it lives on where there is none. */
  readonly call?: number;
  /** Whether that call still takes effect; its answer never arrives. */
  readonly when?: 'before' | 'after';
  /** Milliseconds of rest before each store call, to interleave two processes. */
  readonly restMs?: () => number;
  /** Holds the process before its n-th store call until this resolves. */
  readonly hold?: (call: number) => Promise<void>;
}

/** A process on the stores of a deployment, which outlive it. */
export class MortalProcess {
  readonly runtime: Runtime;
  readonly #life: Life;

  private constructor(runtime: Runtime, life: Life) {
    this.runtime = runtime;
    this.#life = life;
  }

  static async start(
    { config, runtime: { unguarded: context, keys } }: Pick<Deployment, 'config' | 'runtime'>,
    fate: Fate = {},
    options: Pick<RuntimeOptions, 'lanes'> = {},
  ): Promise<MortalProcess> {
    const life = new Life(fate);
    const runtime = await openRuntime(config, {
      ...options,
      stores: {
        ledger: life.wrap(context.ledger),
        vault: life.wrap(context.vault),
        ppks: life.wrap(context.ppks),
      },
      keys,
    });
    life.begun = true;
    return new MortalProcess(runtime, life);
  }

  /** Store calls that it has made. */
  get calls(): number {
    return this.#life.calls;
  }

  /** The result of the work, or undefined where death came first. */
  async run<T>(work: (runtime: Runtime) => Promise<T>): Promise<T | undefined> {
    try {
      return await work(this.runtime);
    } catch (error) {
      if (!this.#life.dead) throw error;
      return undefined;
    }
  }
}

export class Life {
  calls = 0;
  dead = false;
  /** Its calls count from here on: what opening a process asks of its stores changes nothing in them. */
  begun = false;
  readonly #fate: Fate;

  constructor(fate: Fate) {
    this.#fate = fate;
  }

  wrap<Store extends Ledger | Vault | PpkVault>(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        // the stores belong to all processes, so none closes them
        if (name === 'close') return async () => undefined;
        if (typeof member !== 'function') return member;
        if (name === 'getStream' || name === 'list' || name === 'names')
          return (...args: unknown[]) => this.#stream(() => Reflect.apply(member, target, args));
        return (...args: unknown[]) => this.#call(async () => Reflect.apply(member, target, args));
      },
    });
  }

  async *#stream(open: () => AsyncIterable<unknown>): AsyncGenerator<unknown> {
    for await (const piece of (await this.#call(async () => open())) as AsyncIterable<unknown>) {
      if (this.dead) throw new Death('died in the middle of a stream');
      yield piece;
    }
  }

  async #call(act: () => Promise<unknown>): Promise<unknown> {
    if (!this.begun) return await act();
    const { call, when = 'before', restMs, hold } = this.#fate;
    if (restMs !== undefined) await sleep(restMs());
    const number = ++this.calls;
    await hold?.(number);
    if (this.dead) throw new Death('the process is dead');
    const last = number === call;
    if (last) this.dead = true;
    if (last && when === 'before') throw new Death(`died before store call ${call}`);
    const result = await act();
    if (this.dead) throw new Death(`died after store call ${call}`);
    return result;
  }
}

/** Rests of 0 to 3 ms, the same ones for the same seed (mulberry32). */
export function rests(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % 4;
  };
}
