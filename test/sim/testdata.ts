import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../../shared/testdata');

/** False where ../shared/testdata (SGP.26 test PKI, TS.48 profiles) is not beside the project. */
export const hasTestdata = existsSync(ROOT);

/** What a skipped test says in its name. */
export const testdataNote = hasTestdata ? '' : ' (skipped: ../shared/testdata is absent)';

export function testdata(...path: string[]): Buffer {
  return readFileSync(join(ROOT, ...path));
}

export function ts48Profiles(): string[] {
  return hasTestdata ? readdirSync(join(ROOT, 'ts48')).filter((name) => name.endsWith('.der')) : [];
}
