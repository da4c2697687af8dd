import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../shared/errors.ts';
import { ROOT } from './bundle.ts';

/** The machines that an executable is made for. */
export type Platform = 'linux-x64' | 'win-x64';

/** The Node inside the executables, as the registry has it: SHA-512 of each tarball, as in a package-lock.json. */
export const RUNTIME = {
  version: '24.21.0',
  platforms: {
    'linux-x64': {
      file: 'package/bin/node',
      integrity:
        'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    },
    'win-x64': {
      file: 'package/bin/node.exe',
      integrity:
        'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
    },
  },
} as const;

const CACHE = join(ROOT, 'node_modules/.cache/smdpf-release');

/** The file of a platform's Node, fetched once from the npm registry and held against its hash each time. */
export function runtimeFile(platform: Platform): string {
  const { file, integrity } = RUNTIME.platforms[platform];
  const name = `node-${platform}-${RUNTIME.version}`;
  mkdirSync(CACHE, { recursive: true });
  const tarball = join(CACHE, `${name}.tgz`);
  if (!existsSync(tarball)) {
    execFileSync(
      'npm',
      ['pack', '--silent', `node-${platform}@${RUNTIME.version}`, '--pack-destination', CACHE],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
  }
  const hash = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (hash !== integrity) {
    rmSync(tarball);
    throw new Fault(
      'configuration',
      `${name}.tgz of the registry is not the one that release/runtimes.ts names`,
    );
  }
  const folder = join(CACHE, name);
  if (!existsSync(folder)) {
    const making = `${folder}.making`;
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making);
    execFileSync('tar', ['-xzf', tarball, '-C', making]);
    renameSync(making, folder);
  }
  return join(folder, file);
}
