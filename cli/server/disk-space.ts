import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Octets that a store needs to go on: a chunk with its records, many times over. */
const LEAST = 64 * 1024 * 1024;

/** The folder of `sqlite:FILE` or `file:DIR`; undefined where a store is no file of this machine. */
export function folderOf(uri: string): string | undefined {
  const [, scheme, path = ''] = /^(sqlite|file):(?:\/\/(?=\/))?(.+)$/.exec(uri) ?? [];
  if (scheme === undefined || path === ':memory:') return undefined;
  return scheme === 'sqlite' ? dirname(path) : path;
}

/** Octets left on the disk of each store, by its name. */
export async function freeSpace(stores: Readonly<Record<string, string>>): Promise<Record<string, number>> {
  const left: Record<string, number> = {};
  for (const [name, uri] of Object.entries(stores)) {
    const folder = folderOf(uri);
    if (folder === undefined) continue;
    const { bavail, bsize } = await statfs(folder);
    left[name] = bavail * bsize;
  }
  return left;
}

/** Which stores have too little left; undefined where none has. */
export async function illSpace(
  stores: Readonly<Record<string, string>>,
  least = LEAST,
): Promise<string | undefined> {
  const short = Object.entries(await freeSpace(stores)).filter(([, octets]) => octets < least);
  return short.length === 0
    ? undefined
    : short.map(([name, octets]) => `${name}: ${Math.floor(octets / 1024 / 1024)} MiB left`).join('; ');
}
