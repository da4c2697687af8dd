import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '../../shared/codec/bytes.ts';

/** Where `npm run console:build` puts the pages. */
export const SITE_FOLDER = join(import.meta.dirname, '..', 'web', 'dist');

/** The files of the built pages by URL path, sorted; none where nobody has built them. A release carries them inside. */
export async function siteFiles(folder: string = SITE_FOLDER): Promise<ReadonlyMap<string, Bytes>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async ({ parentPath, name }): Promise<[string, Bytes]> => {
        const file = join(parentPath, name);
        return [file.slice(folder.length).replaceAll('\\', '/'), await readFile(file)];
      }),
  );
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}
