import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** What the process has of its own, as it was before a simulation. */
const own = {
  randomBytes: crypto.randomBytes,
  randomUUID: crypto.randomUUID,
  delay: timersPromises.setTimeout,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  mathRandom: Math.random,
  Date: globalThis.Date,
};

let random = new Random(0);
/** The last secrets that were drawn with the length of a profile protection key (three keys of 16 octets). */
export const drawnSecrets: Buffer[] = [];
const SECRET_LENGTH = 48;
const SECRETS_KEPT = 32;

/** From here on everything that is drawn follows from this seed. */
export function reseedRandomness(seed: number): void {
  random = new Random(seed);
}

function octets(length: number): Buffer {
  const drawn = Buffer.from(random.octets(length));
  // a copy: who drew it wipes it
  if (length === SECRET_LENGTH && drawnSecrets.push(Buffer.from(drawn)) > SECRETS_KEPT) drawnSecrets.shift();
  return drawn;
}

function uuid(): `${string}-${string}-${string}-${string}-${string}` {
  const hex = octets(16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/**
 * Randomness, clock and timers of this process follow the scheduler from here on. The services are as they are: they
 * import these from Node, whose modules hand out what is put here. Keys and signatures that OpenSSL makes stay random;
 * nothing in the order of a history depends on their octets.
 */
export function takeOver(scheduler: Scheduler): void {
  const delay = async <T>(ms = 0, value?: T): Promise<T> =>
    await new Promise<T>((resolve) => scheduler.after(ms, () => scheduler.ready(() => resolve(value as T))));
  const handles = new Map<object, () => void>();
  const setTimeout = (act: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const handle = { unref: () => handle, ref: () => handle, hasRef: () => false, refresh: () => handle };
    const cancel = scheduler.after(ms, () => scheduler.ready(() => act(...args)));
    handles.set(handle, cancel);
    return handle;
  };
  const clearTimeout = (handle: object | undefined) => {
    if (handle !== undefined) handles.get(handle)?.();
  };
  class SimulatedDate extends own.Date {
    constructor(...given: [] | [number | string | Date]) {
      if (given.length === 0) super(scheduler.now);
      else if (given.length === 1) super(given[0]);
      else super(...(given as unknown[] as [number, number]));
    }

    static override now(): number {
      return scheduler.now;
    }
  }
  Object.assign(crypto, { randomBytes: octets, randomUUID: uuid });
  Object.assign(timersPromises, { setTimeout: delay });
  syncBuiltinESMExports();
  Math.random = () => random.next() / 2 ** 32;
  const idle = { unref: () => idle, ref: () => idle };
  // rounds by the clock are operations here
  Object.assign(globalThis, { setTimeout, clearTimeout, setInterval: () => idle, Date: SimulatedDate });
}

/** Everything is the process's own again. */
export function giveBack(): void {
  Object.assign(crypto, { randomBytes: own.randomBytes, randomUUID: own.randomUUID });
  Object.assign(timersPromises, { setTimeout: own.delay });
  syncBuiltinESMExports();
  Math.random = own.mathRandom;
  const { setTimeout, clearTimeout, setInterval } = own;
  Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, Date: own.Date });
}
