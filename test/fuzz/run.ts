import { setImmediate as turn } from 'node:timers/promises';
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
}

export interface Failure {
  readonly kind: string;
  readonly error: unknown;
  /** Hexadecimal. */
  readonly input: string;
}

export interface FuzzResult {
  readonly byKind: ReadonlyMap<string, Counted>;
  /** The first input of each that was answered by neither a result nor a typed refusal. */
  readonly failures: readonly Failure[];
  /** Octets. */
  readonly peakMemory: number;
}

/** Inputs between two looks at memory and at other work. */
const STRETCH = 500;
const MAX_FAILURES = 20;

/** Gives each target its share of so many inputs, the same ones for the same seed. `shares`: by kind, 1 unless given. */
export async function fuzz(
  targets: readonly Target[],
  inputs: number,
  seed: number,
  share: (target: Target) => number = () => 1,
): Promise<FuzzResult> {
  const below = randomNumbers(seed);
  const total = targets.reduce((sum, target) => sum + share(target), 0);
  const byKind = new Map<string, Counted>();
  const failures = new Map<string, Failure>();
  let peakMemory = 0;
  for (const target of targets) {
    const counted = { inputs: 0, accepted: 0, refused: 0, longestMs: 0 };
    byKind.set(target.kind, counted);
    const wanted = Math.max(1, Math.round((inputs * share(target)) / total));
    while (counted.inputs < wanted && failures.size < MAX_FAILURES) {
      const failure = await one(target, inputOf(target, below), counted);
      if (failure !== undefined) failures.set(`${target.kind} ${String(failure.error)}`, failure);
      if (counted.inputs % STRETCH !== 0) continue;
      peakMemory = Math.max(peakMemory, process.memoryUsage.rss());
      await turn();
    }
  }
  return {
    byKind,
    failures: [...failures.values()],
    peakMemory: Math.max(peakMemory, process.memoryUsage.rss()),
  };
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
    if (!(error instanceof Refusal)) return { kind, error, input: toHex(input) };
  } finally {
    counted.inputs += 1;
    counted.longestMs = Math.max(counted.longestMs, performance.now() - startedAt);
  }
  return undefined;
}
