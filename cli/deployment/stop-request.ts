import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * How a server is told to end from another process, on every system and whatever started it: a file in its folder, which it
 * takes away as it begins to end. A process number would name another process one day.
 */
const REQUEST = 'stop-request';
const LOOK_MS = 250;
/** Names no release. */
const NOBODY = '-';

/** Resolves once somebody asks a server of this release, or any; a request from before the server started is none of its own. */
export async function stopRequested(folder: string, release: string): Promise<void> {
  const file = join(folder, REQUEST);
  rmSync(file, { force: true });
  while (!['', release].includes(readRequest(file) ?? NOBODY))
    await delay(LOOK_MS, undefined, { ref: false });
  rmSync(file, { force: true });
}

/**
 * Asks, and waits until a server has taken the request; false where none did in this time. `release`: only a server of it, since
 * two of them may have one folder open during an upgrade.
 */
export async function requestStop(folder: string, timeoutMs: number, release = ''): Promise<boolean> {
  const file = join(folder, REQUEST);
  // whole at once: a server must not see a request that names nobody yet
  writeFileSync(`${file}.new`, release);
  renameSync(`${file}.new`, file);
  for (let waited = 0; waited < timeoutMs; waited += LOOK_MS) {
    await delay(LOOK_MS);
    if (!existsSync(file)) return true;
  }
  rmSync(file, { force: true });
  return false;
}

/** The release that is to end, empty for any; undefined where nobody asks. */
function readRequest(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
