import { chmod, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../../shared/service/verify/finding.ts';

/** What only the counterparts of a sandbox have, whose secrets are no secrets. */
const PUBLIC = new Set(['sandbox']);

/** Files and folders of a deployment that others than their owner can reach. */
export async function* openFiles(folder: string): AsyncGenerator<Finding> {
  const finding = await openFile(folder);
  if (finding !== undefined) yield finding;
  for await (const entry of await opendir(folder)) {
    if (PUBLIC.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* openFiles(path);
    else {
      const open = await openFile(path);
      if (open !== undefined) yield open;
    }
  }
}

async function openFile(path: string): Promise<Finding | undefined> {
  // temporary files come and go under a running server
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || (found.mode & 0o077) === 0) return undefined;
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  return {
    where: 'files',
    name: path,
    problem: `others can reach it: its mode is ${mode}`,
    repair: { closeFile: path },
  };
}

/** For the owner alone: 0700 for a folder, 0600 for a file. */
export async function closeFile(path: string): Promise<void> {
  await chmod(path, (await stat(path)).isDirectory() ? 0o700 : 0o600);
}
