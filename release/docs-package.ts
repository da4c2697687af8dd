import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SITE_OUT } from '../site/build.ts';
import type { Version } from './version.ts';

/** The documents as pages, packed by npm, whose archives have no times: whoever unpacks it opens `package/index.html`. */
export function makeDocsPackage({ version }: Version, work: string, out: string): void {
  const folder = join(work, 'docs');
  mkdirSync(folder);
  cpSync(SITE_OUT, folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: 'smdpf-docs', version, description: 'The documents of smdpf as pages' })}\n`,
  );
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
