import { Fault, Refusal } from '../shared/errors.ts';
import type { Runtime } from '../shared/runtime.ts';
import type { RuntimeConfig } from '../shared/runtime-config.ts';
import type { Caller } from '../shared/service/api/caller.ts';
import { DEFAULT_SETTINGS } from '../shared/service/context.ts';
import {
  type Cast,
  DELIVERY_KEYS,
  MAKERS,
  type Maker,
  OPERATORS,
  type Party,
  WRAPPING_KEYS,
} from './cast.ts';
import { Checker } from './checker/checker.ts';
import { demand } from './checker/violation.ts';
import { drawnSecrets, reseedRandomness } from './determinism.ts';
import { type Disaster, drawPlans, type FaultKind } from './faults.ts';
import { spkiOf } from './keys.ts';
import { Died, SimulatedProcess, type Stores } from './process.ts';
import { Random, seedOf } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { SimulatedLedger } from './stores/ledger.ts';
import { SimulatedPpks } from './stores/ppks.ts';
import { SimulatedVault } from './stores/vault.ts';
import { Town } from './town.ts';

/** What became of a call. `lost`: its process died, or the answer did; whether it took effect nobody knows. */
export type Outcome<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'lost' };

/** How a deployment is set up; drawn for each history, so that both inline answers and parts come up, and so on. */
function drawConfig(random: Random): RuntimeConfig {
  return {
    deployment: 'world',
    address: 'smdpf.example.com',
    ledger: 'sqlite::memory:',
    vault: 'file:/world/vault',
    ppks: 'file:/world/ppks',
    keys: { wrapping: WRAPPING_KEYS[0]!, delivery: DELIVERY_KEYS[0]! },
    notifier: 'none:',
    packSize: random.pick([2, 3, 5]),
    chunkSize: random.pick([1, 2, 3]),
    inlineLimit: random.pick([3_000_000, 3_000_000, 6_000]),
    manifest: random.pick([{ whole: 2, page: 2 }, DEFAULT_SETTINGS.manifest]),
    inlineOrder: random.pick([4, 100]),
    rowSlice: 8,
    inlineReport: random.pick([2, 1_000]),
    uploads: { count: 3, octets: 1_000_000 },
    rateLimit: RATE,
  };
}

/** Part of the histories that have FRP256V1, whose arithmetic is our own and slow. */
const SLOW_CURVE = 0.05;

export const RATE = { perSecond: 20, burst: 60 };

/** Two or three processes of one deployment, and everybody who calls them. */
export class World {
  readonly scheduler: Scheduler;
  readonly cast: Cast;
  readonly config: RuntimeConfig;
  readonly stores: Stores;
  readonly checker: Checker;
  readonly town = new Town();
  readonly processes: SimulatedProcess[] = [];
  readonly onFault: (kind: FaultKind) => void;
  /** When keys that were retired are destroyed, by their URIs: once every call that was under way is over. */
  readonly retiredKeys = new Map<string, number>();
  readonly destroyedKeys = {
    has: (uri: string): boolean =>
      this.scheduler.now >= (this.retiredKeys.get(uri) ?? Number.POSITIVE_INFINITY),
  };
  /** What is to become of the ledger once the step is over. */
  disaster: Disaster | undefined;
  /** The ledger was put back or has lost writes, at least once: what lay beside it may be left over. */
  wasStruck = false;
  /** Things that are not what was stored, just now. */
  damages = 0;
  #started = 0;
  readonly #processCount: number;
  readonly eums: readonly Maker[];

  constructor(seed: number, scheduler: Scheduler, cast: Cast, onFault: (kind: FaultKind) => void) {
    const random = new Random(seed);
    this.scheduler = scheduler;
    this.cast = cast;
    this.onFault = onFault;
    this.config = drawConfig(random);
    this.eums = random.chance(SLOW_CURVE) ? cast.eums : cast.eums.slice(0, 2);
    this.#processCount = 1 + random.below(3);
    // half of the histories each: what is found by one is not drawn anew for the other
    const ledger = new SimulatedLedger(seed % 2 === 0);
    const vault = new SimulatedVault();
    const ppks = new SimulatedPpks();
    this.stores = { ledger, vault, ppks };
    const middle = cast.template.length >> 1;
    const seen = { ppk: (pack: string, place: number) => ppks.entries(pack, [place])[0] };
    this.checker = new Checker(seen, [cast.template.subarray(middle, middle + 24)], drawnSecrets);
    ledger.watcher = (writes) => this.#watch(() => this.checker.wrote(writes, this.scheduler.now));
    vault.watcher = {
      put: (ref, octets, locked) => this.#watch(() => this.checker.stored(ref.name, octets, locked)),
      removed: () => undefined,
    };
    ppks.watcher = { put: (pack, entries) => this.#watch(() => this.checker.sealed(pack, entries)) };
  }

  /** What a watcher found, until a step asks: a service would take it for a failure of its store. */
  #found: unknown;

  #watch(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#found ??= error;
    }
  }

  /** Throws what was found so far. */
  requireSound(): void {
    const found = this.#found;
    this.#found = undefined;
    if (found !== undefined) throw found;
  }

  reseed(seed: number): void {
    this.scheduler.reseed(seedOf(seed, 1));
    reseedRandomness(seedOf(seed, 2));
    const random = new Random(seedOf(seed, 3));
    for (const process of this.processes) process.plan(drawPlans(random), random.next());
  }

  /** Sets a deployment up: parties, trust, keys. Nothing goes wrong meanwhile. */
  async found(seed: number): Promise<void> {
    this.reseed(seed);
    await this.startProcess();
    const { runtime } = this.processes[0]!;
    await this.scheduler.until(this.#setUp(runtime));
    while (this.processes.length < this.#processCount) await this.startProcess();
  }

  async #setUp({ services, trustAdministration: trust, work, standing }: Runtime): Promise<void> {
    await standing.renewAnchor();
    await work.resume();
    const { eums } = this;
    for (const { certificate, identifier, role } of [
      ...OPERATORS,
      ...MAKERS,
      ...eums.map(({ party }) => party),
    ])
      await services.parties.add(certificate.fingerprint, { identifier, role }, 'world');
    for (const { ci, eum, party, bindingKeys } of eums) {
      await trust.addCi(ci.certificate, { forSigning: true, forVerification: true }, 'world');
      await trust.addCrl(ci.issueCrl(), [], 'world');
      const keyUri = bindingKeys[0]!;
      const certificate = ci.issueDpPb({ spki: spkiOf(keyUri) }, { oid: '2.999.10' });
      await trust.installDpPb({ keyUri, ciPkId: ci.keyId, certificates: [certificate] }, 'world');
      await trust.allowEum(eum.ca.certificate, { party: party.identifier }, 'world');
    }
  }

  /** One more process of the deployment. */
  async startProcess(): Promise<SimulatedProcess> {
    const process = await this.scheduler.until(this.start(this.config, this.stores));
    this.processes.push(process);
    return process;
  }

  /** A process that is none of this deployment's own yet. */
  async start(config: RuntimeConfig, stores: Stores): Promise<SimulatedProcess> {
    const { scheduler, destroyedKeys, onFault } = this;
    const surroundings = { scheduler, stores, destroyedKeys, onFault, onLog: () => undefined };
    return await SimulatedProcess.start(this.#started++, config, surroundings);
  }

  /** New processes in place of those that died; they take up what was left open. */
  async revive(): Promise<void> {
    for (const dead of this.processes.filter(({ alive }) => !alive)) {
      this.processes.splice(this.processes.indexOf(dead), 1);
      this.onFault('restart');
      const process = await this.startProcess();
      await this.scheduler.until(
        this.settled(process, async ({ standing, work }) => {
          if ((await standing.why()) !== undefined) return;
          await standing.renewAnchor();
          await work.resume();
        }),
      );
    }
  }

  /** Ends every process, as a power cut does, and starts others. */
  async restartAll(): Promise<void> {
    for (const process of this.processes) process.die();
    await this.revive();
  }

  /**
   * Tells, at the end of a call that begins now, of which eUICCs trust was withdrawn all the while: not where it came back
   * beside the call.
   */
  withdrawnThroughout(): (eid: string) => boolean {
    const before = new Set(this.checker.withdrawn);
    const regained = new Map(this.town.regained);
    return (eid) => before.has(eid) && this.town.regained.get(eid) === regained.get(eid);
  }

  /** Most eUICCs are of the first. */
  eum(random: Random): Maker {
    return random.chance(0.8) ? this.eums[0]! : random.pick(this.eums);
  }

  process(random: Random): SimulatedProcess {
    const alive = this.processes.filter((process) => process.alive);
    return alive.length === 0 ? this.processes[0]! : random.pick(alive);
  }

  /** A call as a party makes it: identified by its certificate, on one of the processes. */
  call<T>(
    random: Random,
    { certificate }: Party,
    work: (runtime: Runtime, caller: Caller) => Promise<T>,
  ): Promise<Outcome<T>> {
    return this.settled(this.process(random), async (runtime) => {
      const caller = await runtime.services.parties.identify(certificate);
      return await work(runtime, caller);
    });
  }

  /** The same by the operator of the server itself, or from the field. */
  act<T>(random: Random, work: (runtime: Runtime) => Promise<T>): Promise<Outcome<T>> {
    return this.settled(this.process(random), work);
  }

  /** An answer, a typed refusal, or nothing at all: anything else breaks a rule. */
  async settled<T>(process: SimulatedProcess, work: (runtime: Runtime) => Promise<T>): Promise<Outcome<T>> {
    try {
      return { kind: 'answered', value: await process.run(work) };
    } catch (error) {
      if (error instanceof Died) return { kind: 'lost' };
      if (error instanceof Refusal) return { kind: 'refused', code: error.code };
      const passes = error instanceof Fault && (error.retryable || this.damages > 0);
      demand(passes, 'typed refusals', () => (error instanceof Error ? `${error.stack}` : String(error)));
      return { kind: 'lost' };
    }
  }
}
