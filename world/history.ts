import { type Cast, makeCast } from './cast.ts';
import { Violation } from './checker/violation.ts';
import { giveBack, reseedRandomness, takeOver } from './determinism.ts';
import { strike } from './disaster.ts';
import type { FaultKind } from './faults.ts';
import { drawOperation, OPERATIONS } from './operations/index.ts';
import { Random, seedOf } from './random.ts';
import { Scheduler, Stuck } from './scheduler.ts';
import { settle } from './settlement.ts';
import { World } from './world.ts';

/** What is done at once, with the seed of its order, its faults and its details: a step means the same wherever it stands. */
export interface Step {
  readonly seed: number;
  readonly operations: readonly string[];
}

export interface History {
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** At once at most. */
const AT_ONCE = 3;
/** Simulated time between two steps, at most. */
const PAUSE_MS = 1_000;
/** 2026-07-01T00:00:00Z. */
const BEGINNING = Date.UTC(2026, 6, 1);
const DAY = 24 * 60 * 60_000;

/** What a history begins with, so that there is something to do. */
const OPENING = ['registerEuiccData', 'prepareProfiles', 'registerEuiccData', 'requestBpp'];

/** So many operations, drawn by the seed. */
export function drawHistory(seed: number, operations: number, disasters: boolean): History {
  const steps: Step[] = [];
  for (let drawn = 0; drawn < operations; ) {
    const random = new Random(seedOf(seed, steps.length));
    const atOnce = Math.min(operations - drawn, 1 + random.below(AT_ONCE));
    const own = random.next();
    const kind = () => OPENING[steps.length] ?? drawOperation(random, disasters);
    steps.push({ seed: own, operations: Array.from({ length: atOnce }, kind) });
    drawn += atOnce;
  }
  return { seed, steps };
}

export interface Told {
  operation(kind: string, outcome: string): void;
  fault(kind: FaultKind): void;
  checks(counts: ReadonlyMap<string, number>): void;
  did(turns: number, bound: number, trace: number): void;
}

export interface Failure {
  readonly invariant: string;
  readonly message: string;
  /** Number of the step; those after it were not made. */
  readonly step: number;
}

/** Time, randomness and timers are the simulation's while this runs. */
export async function simulated<T>(
  work: (scheduler: Scheduler) => Promise<T>,
  beginning: number = BEGINNING,
): Promise<T> {
  const scheduler = new Scheduler(beginning);
  takeOver(scheduler);
  try {
    return await work(scheduler);
  } finally {
    giveBack();
  }
}

/** Long before all histories, so that its certificates are valid on clocks that are behind. */
export const makeCastOfSimulation = (): Promise<Cast> =>
  simulated(
    () => {
      reseedRandomness(0);
      return makeCast();
    },
    BEGINNING - 90 * DAY,
  );

/** Runs a history in a world of its own; the first broken rule, or undefined where all of them hold. */
export async function run({ seed, steps }: History, cast: Cast, told: Told): Promise<Failure | undefined> {
  return await simulated(async (scheduler) => {
    const world = new World(seed, scheduler, cast, (kind) => told.fault(kind));
    let at = 0;
    try {
      await world.found(seed);
      for (; at < steps.length; at++) await makeStep(world, steps[at]!, told);
      await settle(world, seed);
      world.requireSound();
      return undefined;
    } catch (error) {
      return failureOf(error, at);
    } finally {
      for (const process of world.processes) process.die();
      told.checks(world.checker.checks);
      told.did(scheduler.turns, world.checker.committed, scheduler.trace);
    }
  });
}

async function makeStep(world: World, { seed, operations }: Step, told: Told): Promise<void> {
  world.reseed(seed);
  const random = new Random(seed);
  world.scheduler.pass(random.below(PAUSE_MS));
  const doing = operations.map(async (kind, i) => {
    const outcome = await OPERATIONS[kind]!.run(world, new Random(seedOf(seed, 100 + i)));
    told.operation(kind, outcome);
  });
  await world.scheduler.until(Promise.all(doing));
  world.requireSound();
  const { disaster } = world;
  world.disaster = undefined;
  if (disaster !== undefined) await strike(world, disaster, random);
  await world.revive();
  world.requireSound();
}

function failureOf(error: unknown, step: number): Failure {
  if (error instanceof Violation) return { invariant: error.invariant, message: error.message, step };
  if (error instanceof Stuck) return { invariant: 'goes on', message: error.message, step };
  return {
    invariant: 'simulation',
    message: error instanceof Error ? `${error.stack}` : String(error),
    step,
  };
}
