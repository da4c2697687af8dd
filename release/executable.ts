import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Fault } from '../shared/errors.ts';
import { type Bundle, ROOT } from './bundle.ts';
import { THREADS_IN_EXECUTABLE } from './executable-asset.ts';
import { type Platform, runtimeFile } from './runtimes.ts';
import { resourceOf, withoutSignature } from './windows-file.ts';

/** Names that Node gives them (https://nodejs.org/api/single-executable-applications.html). */
const RESOURCE = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * What Node puts into an executable: the command as its program, and what its threads run as text. Neither snapshot nor
 * code cache, which are of one machine; and names without folders, since they end up inside.
 */
export function prepareBlob({ file, threads }: Bundle): string {
  const folder = dirname(file);
  const config = {
    main: basename(file),
    output: 'smdpf.blob',
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    assets: { [THREADS_IN_EXECUTABLE]: basename(threads) },
  };
  writeFileSync(join(folder, 'sea-config.json'), JSON.stringify(config));
  execFileSync(process.execPath, ['--experimental-sea-config', 'sea-config.json'], {
    cwd: folder,
    stdio: 'pipe',
  });
  return join(folder, config.output);
}

/** Makes the executable of a platform, and looks whether the blob is in it. */
export function makeExecutable(platform: Platform, blob: string, file: string): void {
  copyFileSync(runtimeFile(platform), file);
  chmodSync(file, 0o755);
  // the signature is Node's, of Node's own file
  if (platform === 'win-x64') writeFileSync(file, withoutSignature(readFileSync(file)));
  execFileSync(
    join(ROOT, 'node_modules/.bin/postject'),
    [file, RESOURCE, blob, '--sentinel-fuse', FUSE],
    // what it says of sections of Node's own is no news
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const made = readFileSync(file);
  if (!made.includes(`${FUSE}:1`)) throw new Fault('invariant', `${file} would start as Node, not as smdpf`);
  const octets = readFileSync(blob);
  const inside = platform === 'win-x64' ? resourceOf(made, RESOURCE) : made;
  if (inside === undefined || !inside.includes(octets))
    throw new Fault('invariant', `${file} lacks its program`);
}
