import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Published profiles (GSMA TS.48) and certificates (SGP.26) beside the project; not part of it. */
const ROOT = new URL('../../../shared/testdata/', import.meta.url);

export const hasTestdata = existsSync(ROOT);

/** For the title of what is skipped without them. */
export const testdataSkipReason = hasTestdata ? '' : ' (skipped: ../shared/testdata is not there)';

export function testdata(path: string): Buffer {
  return readFileSync(new URL(path, ROOT));
}

/** Names of the files of a folder, sorted; empty where the folder is absent. */
export function testdataFiles(folder: string): string[] {
  const url = new URL(`${folder}/`, ROOT);
  return existsSync(url) ? readdirSync(url).sort() : [];
}
