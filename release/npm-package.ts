import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { type Bundle, ROOT } from './bundle.ts';
import type { Version } from './version.ts';

/** Of the sources, beside the bundle: what whoever installed it reads, at the same paths, so that links hold. */
const DOCUMENTS = ['docs', 'CHANGELOG.md', 'LICENSE', 'SECURITY.md'];
const INTERFACE = ['shared/ifpp-draft1/openapi.yaml', 'shared/ifpp-draft1/ifpp-draft1.asn'];

/**
 * The npm package: both bundles, what they are licensed under, and the documents. It depends on nothing; what is compiled for a
 * machine is installed beside it by whoever has a token or a card reader.
 */
export function makeNpmPackage(
  { version, commit }: Version,
  { file, threads }: Bundle,
  notices: string,
  work: string,
  out: string,
): string {
  const folder = join(work, 'package');
  mkdirSync(folder);
  copyFileSync(file, join(folder, 'smdpf.mjs'));
  copyFileSync(threads, join(folder, 'smdpf-threads.mjs'));
  chmodSync(join(folder, 'smdpf.mjs'), 0o755);
  copyFileSync(join(ROOT, 'release/files/README.md'), join(folder, 'README.md'));
  writeFileSync(join(folder, 'THIRD-PARTY-NOTICES'), notices);
  for (const path of [...DOCUMENTS, ...INTERFACE]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packageJson(version, commit), null, 2)}\n`);
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return join(out, `smdpf-${version}.tgz`);
}

const packageJson = (version: string, commit: string) => ({
  name: manifest.name,
  version,
  description: manifest.description,
  license: manifest.license,
  type: 'module',
  bin: { smdpf: 'smdpf.mjs' },
  engines: { node: '>=22.13' },
  gitHead: commit,
  // not installed with it: see docs/keys.md
  peerDependencies: manifest.optionalDependencies,
  peerDependenciesMeta: Object.fromEntries(
    Object.keys(manifest.optionalDependencies).map((name) => [name, { optional: true }]),
  ),
});
