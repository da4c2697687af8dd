import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildConsole } from '../../console/build/build.ts';
import { bundle, ROOT } from '../../release/bundle.ts';

/** The command as a release has it, with the packages beside it that are compiled for a machine: its file, for as long as this process lives. */
export async function releaseCommand(): Promise<string> {
  await buildConsole(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), 'smdpf-bench-bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return (await bundle(join(folder, 'smdpf.mjs'), 'esm')).file;
}
