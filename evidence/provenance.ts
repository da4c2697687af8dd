import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, hostname, release, type as system, totalmem } from 'node:os';
import manifest from '../package.json' with { type: 'json' };

/** Of what, where and when the results are. */
export interface Provenance {
  /** ISO 8601. */
  readonly at: string;
  readonly commit: string;
  /** Whether files differed from the commit. */
  readonly changed: boolean;
  readonly version: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  /** SHA-256 by file. */
  readonly artefacts: Readonly<Record<string, string>>;
}

/** What fixes the software that ran: dependencies, interface, requirements; release files are named on the command line. */
const ARTEFACTS = [
  'package-lock.json',
  'evidence/requirements.yaml',
  'shared/ifpp-draft1/openapi.yaml',
  'shared/ifpp-draft1/ifpp-draft1.asn',
];

export function provenance(at: Date, more: readonly string[] = []): Provenance {
  const files = [...ARTEFACTS, ...more].filter((file) => existsSync(file));
  return {
    at: at.toISOString(),
    commit: git('rev-parse', 'HEAD') ?? 'unknown: no repository',
    changed: git('status', '--porcelain') !== '',
    version: manifest.version,
    machine: {
      host: hostname(),
      system: `${system()} ${release()} ${arch()}`,
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 1024 ** 3),
    },
    versions: {
      node: process.versions.node,
      openssl: process.versions.openssl,
      vitest: manifest.devDependencies.vitest,
    },
    artefacts: Object.fromEntries(files.map((file) => [file, sha256(file)])),
  };
}

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Undefined outside a repository, as in a tarball. */
function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
