import type { Bytes } from '../shared/codec/bytes.ts';
import { Fault, type FaultCode } from '../shared/errors.ts';
import { KeyRegistry } from '../shared/keys/registry.ts';
import type { Ledger, Write } from '../shared/ledger/ledger.ts';
import { openRuntime, type Runtime } from '../shared/runtime.ts';
import type { RuntimeConfig } from '../shared/runtime-config.ts';
import type { PpkVault, Vault } from '../shared/vault/vault.ts';
import type { FaultKind, Plan } from './faults.ts';
import { SimulatedKeys } from './keys.ts';
import { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedLedger } from './stores/ledger.ts';
import type { SimulatedPpks } from './stores/ppks.ts';
import type { SimulatedVault } from './stores/vault.ts';

export interface Stores {
  readonly ledger: SimulatedLedger;
  readonly vault: SimulatedVault;
  readonly ppks: SimulatedPpks;
}

/** What a process lives in. */
export interface Surroundings {
  readonly scheduler: Scheduler;
  readonly stores: Stores;
  /** URIs of keys that are gone. */
  readonly destroyedKeys: Pick<ReadonlySet<string>, 'has'>;
  readonly onFault: (kind: FaultKind) => void;
  readonly onLog: (event: string) => void;
}

/** Of a process that died in the middle: what it was asked never has an answer. */
export class Died extends Error {}

/** A process of the SM-DPf: the real services on the stores of its world, which outlive it. */
export class SimulatedProcess {
  readonly number: number;
  /** Milliseconds by which its clock is off. */
  skewMs = 0;
  alive = true;
  runtime!: Runtime;
  readonly died: Promise<never>;
  #reject!: (error: Died) => void;
  readonly #surroundings: Surroundings;
  #plans: readonly Plan[] = [];
  #random = new Random(0);
  #calls = 0;

  private constructor(number: number, surroundings: Surroundings) {
    this.number = number;
    this.#surroundings = surroundings;
    this.died = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.died.catch(() => undefined);
  }

  static async start(
    number: number,
    config: RuntimeConfig,
    surroundings: Surroundings,
  ): Promise<SimulatedProcess> {
    const process = new SimulatedProcess(number, surroundings);
    const { stores } = surroundings;
    const keys = new SimulatedKeys(
      (what, effect) => process.#ask('keyProvider', what, effect),
      surroundings.destroyedKeys,
    );
    const opened = openRuntime(config, {
      stores: {
        ledger: process.#ledger(stores.ledger),
        vault: process.#vault(stores.vault),
        ppks: process.#ppks(stores.ppks),
      },
      keys: new KeyRegistry({ softkey: async () => keys }),
      now: () => surroundings.scheduler.now + process.skewMs,
      log: ({ event }) => surroundings.onLog(event),
      env: {},
    });
    process.runtime = await Promise.race([opened, process.died]);
    return process;
  }

  /** What goes wrong from here on, counted from the next call. */
  plan(plans: readonly Plan[], seed: number): void {
    this.#plans = plans;
    this.#calls = 0;
    this.#random = new Random(seed);
  }

  die(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#reject(new Died());
  }

  /** The result of the work, unless the process dies first. */
  run<T>(work: (runtime: Runtime) => Promise<T>): Promise<T> {
    return Promise.race([work(this.runtime), this.died]);
  }

  /** One call to something outside of the process. */
  #ask<T>(where: FaultCode, what: string, effect: () => T): Promise<T> {
    const { scheduler, onFault } = this.#surroundings;
    if (!this.alive) return new Promise<never>(() => undefined);
    this.#calls += 1;
    const plan = this.#plans.find(({ call }) => call === this.#calls);
    // of a process that is gone by then, a message may still be under way
    const lands = this.#random.chance(0.3);
    return new Promise<T>((resolve, reject) => {
      const act = () => {
        if (!this.alive) {
          if (!lands) return;
          onFault('lateWrite');
          attempt(effect);
          return;
        }
        if (plan !== undefined && plan.kind !== 'delay') onFault(plan.kind);
        if (plan?.kind === 'deathBefore') return this.die();
        if (plan?.kind === 'errorBefore') return reject(lost(where, what));
        const result = attempt(effect);
        if (plan?.kind === 'deathAfter') return this.die();
        if (plan?.kind === 'answerLost') return reject(lost(where, what));
        if ('error' in result) reject(result.error);
        else resolve(result.value);
      };
      if (plan?.kind !== 'delay') return scheduler.ready(act);
      onFault('delay');
      scheduler.after(plan.ms, () => scheduler.ready(act));
    });
  }

  async *#stream<T>(where: FaultCode, what: string, effect: () => readonly T[]): AsyncGenerator<T> {
    yield* await this.#ask(where, what, effect);
  }

  #ledger(ledger: SimulatedLedger): Ledger {
    const ask = <T>(what: string, effect: () => T) => this.#ask('ledger', what, effect);
    return {
      spreads: ledger.spreads,
      get: (key) => ask('ledger.get', () => ledger.get(key)),
      getMany: (keys) => ask('ledger.getMany', () => keys.map((key) => ledger.get(key))),
      query: (partition, range) => ask('ledger.query', () => ledger.query(partition, range)),
      walk: (limit, cursor) => ask('ledger.walk', () => ledger.walk(limit, cursor)),
      defects: () => ask('ledger.defects', () => []),
      write: (write) => ask('ledger.write', () => ledger.write(write)),
      writeMany: (writes) => this.#writeMany(ledger, writes),
      transact: (writes) => ask('ledger.transact', () => ledger.transact(writes)),
      close: async () => undefined,
    };
  }

  /** Each write stands by itself, so each has a moment, and a fate, of its own. */
  async #writeMany(ledger: SimulatedLedger, writes: readonly Write[]) {
    const ask = (write: Write) => this.#ask('ledger', 'ledger.writeMany', () => ledger.write(write));
    const outcomes = await Promise.allSettled(writes.map(ask));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed === undefined)
      return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    if (writes.length > 1) this.#surroundings.onFault('partOfMany');
    throw failed.reason;
  }

  #vault(vault: SimulatedVault): Vault {
    const ask = <T>(what: string, effect: () => T) => this.#ask('vault', what, effect);
    const link = (name: string) => `https://smdpf.example.com/transfer/${name}`;
    return {
      put: (name, body, options) => ask('vault.put', () => vault.put(name, body, options?.lock)),
      putStream: async (name, body) => {
        const pieces: Bytes[] = [];
        for await (const piece of body) pieces.push(piece);
        return await ask('vault.put', () => vault.put(name, Buffer.concat(pieces)));
      },
      get: (ref, range) => ask('vault.get', () => vault.get(ref, range)),
      getStream: (ref) => this.#stream('vault', 'vault.getStream', () => [vault.get(ref)]),
      head: (name) => ask('vault.head', () => vault.head(name)),
      list: (prefix) =>
        this.#stream('vault', 'vault.list', () => vault.names(prefix).map((name) => vault.head(name)!)),
      names: (prefix) => this.#stream('vault', 'vault.names', () => vault.names(prefix)),
      remove: (name) => ask('vault.remove', () => vault.remove(name)),
      downloadUrl: async ({ name }) => link(name),
      uploadLink: async (name) => ({ url: link(name), headers: {} }),
      close: async () => undefined,
    };
  }

  #ppks(ppks: SimulatedPpks): PpkVault {
    const ask = <T>(what: string, effect: () => T) => this.#ask('vault', what, effect);
    return {
      // octets that the process wipes once it has its answer
      putPack: (pack, header, entries) => {
        const kept = [Uint8Array.from(header), entries.map((entry) => Uint8Array.from(entry))] as const;
        return ask('ppks.putPack', () => ppks.putPack(pack, ...kept));
      },
      header: (pack) => ask('ppks.header', () => ppks.header(pack)),
      entries: (pack, positions) => ask('ppks.entries', () => ppks.entries(pack, positions)),
      destroy: (pack, positions) => ask('ppks.destroy', () => ppks.destroy(pack, positions)),
      names: () => this.#stream('vault', 'ppks.names', () => ppks.names()),
      destroyPack: (pack) => ask('ppks.destroyPack', () => ppks.destroyPack(pack)),
      close: async () => undefined,
    };
  }
}

const lost = (where: FaultCode, what: string) =>
  new Fault(where, `simulated: ${what} had no answer`, { retryable: true });

function attempt<T>(effect: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: effect() };
  } catch (error) {
    return { error };
  }
}
