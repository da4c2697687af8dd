import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import { deterministicKeys, type OwnKeys } from './deterministic-keys.ts';
import { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** What the process has of its own, as it was before a simulation. */
const own = {
  crypto: {
    randomBytes: crypto.randomBytes,
    randomUUID: crypto.randomUUID,
    randomInt: crypto.randomInt,
    generateKeyPairSync: crypto.generateKeyPairSync,
    sign: crypto.sign,
  },
  timersPromises: { setTimeout: timersPromises.setTimeout, setImmediate: timersPromises.setImmediate },
  mathRandom: Math.random,
  global: {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    Date: globalThis.Date,
  },
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

const drawnKeys = deterministicKeys(own.crypto as OwnKeys, (length) => random.octets(length));

/**
 * Randomness, keys, clock and timers of this process follow the scheduler from here on. The services are as they are:
 * they import these from Node, whose modules hand out what is put here. The ephemeral keys of encrypted rows alone stay
 * random: of one length, and in no name.
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
  class SimulatedDate extends own.global.Date {
    constructor(...given: [] | [number | string | Date]) {
      if (given.length === 0) super(scheduler.now);
      else if (given.length === 1) super(given[0]);
      else super(...(given as unknown[] as [number, number]));
    }

    static override now(): number {
      return scheduler.now;
    }
  }
  const randomInt = (low: number, high?: number) =>
    high === undefined ? random.below(low) : low + random.below(high - low);
  const setImmediate = () => new Promise<void>((resolve) => scheduler.ready(resolve));
  Object.assign(crypto, { randomBytes: octets, randomUUID: uuid, randomInt, ...drawnKeys });
  Object.assign(timersPromises, { setTimeout: delay, setImmediate });
  syncBuiltinESMExports();
  takeWebCryptoOver(scheduler);
  Math.random = () => random.next() / 2 ** 32;
  const idle = { unref: () => idle, ref: () => idle };
  // rounds by the clock are operations here
  Object.assign(globalThis, { setTimeout, clearTimeout, setInterval: () => idle, Date: SimulatedDate });
}

/** Everything is the process's own again. */
export function giveBack(): void {
  Object.assign(crypto, own.crypto);
  Object.assign(timersPromises, own.timersPromises);
  syncBuiltinESMExports();
  giveWebCryptoBack();
  Math.random = own.mathRandom;
  Object.assign(globalThis, own.global);
}

const { subtle } = globalThis.crypto;
/** Other threads do their work, and take as long as they take. */
const IN_OTHER_THREADS = [
  'decrypt',
  'deriveBits',
  'deriveKey',
  'digest',
  'encrypt',
  'exportKey',
  'generateKey',
  'importKey',
  'sign',
  'unwrapKey',
  'verify',
  'wrapKey',
] as const;

/** Work of other threads has its turn like everything else, and nothing goes on until it is done. */
function takeWebCryptoOver(scheduler: Scheduler): void {
  const getRandomValues = <T extends Uint8Array>(into: T): T => {
    into.set(random.octets(into.length));
    return into;
  };
  Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: getRandomValues, configurable: true });
  for (const method of IN_OTHER_THREADS) {
    const its: (...args: never[]) => Promise<unknown> = Object.getPrototypeOf(subtle)[method];
    const value = (...args: never[]) => {
      const work = its.apply(subtle, args);
      const done = work.then(
        () => undefined,
        () => undefined,
      );
      return new Promise<void>((resolve) =>
        scheduler.ready(async () => {
          await done;
          resolve();
        }),
      ).then(() => work);
    };
    Object.defineProperty(subtle, method, { value, configurable: true });
  }
}

function giveWebCryptoBack(): void {
  Reflect.deleteProperty(globalThis.crypto, 'getRandomValues');
  for (const method of IN_OTHER_THREADS) Reflect.deleteProperty(subtle, method);
}
