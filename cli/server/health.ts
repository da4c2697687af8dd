import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';

/** Of a store: that it can be written, or a system code such as ENOSPC, or `failed`. */
export type StoreHealth = 'ok' | (string & {});

export interface Health {
  readonly status: 'ok' | 'ill';
  readonly stores: Readonly<Record<string, StoreHealth>>;
}

/** Anybody may ask: the stores are asked no more often than this. */
const LOOK_MS = 5_000;
/** Octets of a trial: more than what is left in a file system's last block. */
const TRIAL = Buffer.alloc(64 * 1024);

/** The health of the stores of an embedded server, looked at when it is asked for and the last look is five seconds old. */
export class HealthCheck {
  readonly #stores: Readonly<Record<string, () => Promise<void>>>;
  readonly #now: () => number;
  #look: { readonly at: number; readonly health: Promise<Health> } | undefined;

  /** Each store with a trial that fails where the store cannot be written. `now` in milliseconds. */
  constructor(stores: Readonly<Record<string, () => Promise<void>>>, now: () => number) {
    this.#stores = stores;
    this.#now = now;
  }

  ask(): Promise<Health> {
    const at = this.#now();
    if (this.#look === undefined || at - this.#look.at >= LOOK_MS) this.#look = { at, health: this.#ask() };
    return this.#look.health;
  }

  async #ask(): Promise<Health> {
    const results = await Promise.all(
      Object.entries(this.#stores).map(async ([name, trial]) => [name, await healthOf(trial)] as const),
    );
    const status = results.every(([, health]) => health === 'ok') ? 'ok' : 'ill';
    return { status, stores: Object.fromEntries(results) };
  }
}

/** A trial of the disk under `sqlite:FILE` or `file:DIR`: a file beside the store, written, synchronised and removed. */
export function diskTrial(uri: string): () => Promise<void> {
  const [, scheme, path = ''] = /^(sqlite|file):(?:\/\/(?=\/))?(.+)$/.exec(uri) ?? [];
  const folder = scheme === 'sqlite' ? dirname(path) : path;
  return async () => {
    const file = join(folder, `.health-${scheme}-${process.pid}-${threadId}`);
    try {
      const handle = await open(file, 'w', 0o600);
      try {
        await handle.write(TRIAL);
        await handle.sync();
      } finally {
        await handle.close();
      }
    } finally {
      await rm(file, { force: true });
    }
  };
}

async function healthOf(trial: () => Promise<void>): Promise<StoreHealth> {
  try {
    await trial();
    return 'ok';
  } catch (error) {
    return error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code))
      ? String(error.code)
      : 'failed';
  }
}
