import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { toHex } from '../../shared/codec/bytes.ts';
import { Refusal } from '../../shared/errors.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { mutate, mutateJson } from './mutate.ts';
import type { Target } from './target.ts';

export interface Counted {
  inputs: number;
  accepted: number;
  refused: number;
  longestMs: number;
  /** Of this process, with the making of the inputs. */
  cpuMs: number;
}

export interface Failure {
  readonly kind: string;
  readonly error: unknown;
  /** Hexadecimal. */
  readonly input: string;
}

export interface FuzzOptions {
  readonly shareOf?: (target: Target) => number;
  readonly stop?: () => boolean;
}

export interface FuzzResult {
  readonly byKind: ReadonlyMap<string, Counted>;
  /** The first input of each that was answered by neither a result nor a typed refusal. */
  readonly failures: readonly Failure[];
  /** Octets. */
  readonly peakMemory: number;
}

/** Inputs of one target before the next one has its turn. */
const TURN = 1_000;
const MAX_FAILURES = 20;

/**
 * Gives each target its share of so many inputs, in turns, the same ones for the same seed. `shareOf`: 1 unless given;
 * `stop` ends it early.
 */
export async function fuzz(
  targets: readonly Target[],
  inputs: number,
  seed: number,
  { shareOf = () => 1, stop = () => false }: FuzzOptions = {},
): Promise<FuzzResult> {
  const below = randomNumbers(seed);
  const total = targets.reduce((sum, target) => sum + shareOf(target), 0);
  const failures = new Map<string, Failure>();
  let peakMemory = process.memoryUsage.rss();
  let open = targets.map((target) => ({
    target,
    counted: { inputs: 0, accepted: 0, refused: 0, longestMs: 0, cpuMs: 0 },
    wanted: Math.max(1, Math.round((inputs * shareOf(target)) / total)),
  }));
  const byKind = new Map(open.map(({ target, counted }) => [target.kind, counted]));
  while (open.length > 0 && failures.size < MAX_FAILURES && !stop()) {
    for (const { target, counted, wanted } of open) {
      // a kind of which there are few has them spread over the whole run
      const turn = Math.max(1, Math.round((TURN * wanted) / (open[0]?.wanted ?? wanted)));
      const usage = process.cpuUsage();
      for (let made = 0; made < turn && counted.inputs < wanted; made++) {
        const failure = await one(target, inputOf(target, below), counted);
        if (failure !== undefined) failures.set(`${target.kind} ${String(failure.error)}`, failure);
      }
      const { user, system } = process.cpuUsage(usage);
      counted.cpuMs += (user + system) / 1000;
      peakMemory = Math.max(peakMemory, process.memoryUsage.rss());
      await nextTurn();
    }
    open = open.filter(({ counted, wanted }) => counted.inputs < wanted);
  }
  return { byKind, failures: [...failures.values()], peakMemory };
}

function inputOf({ seeds, json }: Target, below: (limit: number) => number): Bytes {
  if (json !== undefined && below(3) > 0)
    return Buffer.from(JSON.stringify(mutateJson(json[below(json.length)], below)) ?? '');
  return mutate(seeds[below(seeds.length)]!, seeds[below(seeds.length)]!, below);
}

async function one({ kind, run }: Target, input: Bytes, counted: Counted): Promise<Failure | undefined> {
  const startedAt = performance.now();
  try {
    const ran = run(input);
    const outcome = ran instanceof Promise ? await ran : ran;
    counted[outcome === 'refused' ? 'refused' : 'accepted'] += 1;
  } catch (error) {
    counted.refused += 1;
    if (!(error instanceof Refusal))
      return { kind, error: await again(run, input, error), input: toHex(input) };
  } finally {
    counted.inputs += 1;
    counted.longestMs = Math.max(counted.longestMs, performance.now() - startedAt);
  }
  return undefined;
}

/** The same failure with its stack, which is not taken of millions of refusals. */
async function again(run: Target['run'], input: Bytes, first: unknown): Promise<unknown> {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 20;
  try {
    await run(input);
    return first;
  } catch (error) {
    return error;
  } finally {
    Error.stackTraceLimit = limit;
  }
}
