import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * How a server is told to end from another process, on every system and whatever started it: a file in its folder, which it
 * takes away as it begins to end. A process number would name another process one day.
 */
const REQUEST = 'stop-request';
const LOOK_MS = 250;

/** Resolves once somebody asks; a request that nobody took before the server started is none of its own. */
export async function stopRequested(folder: string): Promise<void> {
  const file = join(folder, REQUEST);
  rmSync(file, { force: true });
  while (!existsSync(file)) await delay(LOOK_MS, undefined, { ref: false });
  rmSync(file, { force: true });
}

/** Asks, and waits until a server has taken the request; false where none did in this time. */
export async function requestStop(folder: string, timeoutMs: number): Promise<boolean> {
  const file = join(folder, REQUEST);
  writeFileSync(file, '');
  for (let waited = 0; waited < timeoutMs; waited += LOOK_MS) {
    await delay(LOOK_MS);
    if (!existsSync(file)) return true;
  }
  rmSync(file, { force: true });
  return false;
}
