import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { isSea } from 'node:sea';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import manifest from '../../../package.json' with { type: 'json' };
import { LEDGER_KINDS, PPK_KINDS, type StoredKind, VAULT_KINDS } from '../../../shared/service/life/kinds.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { fields, table } from '../../output/table.ts';

const STORES = { vault: VAULT_KINDS, 'PPK vault': PPK_KINDS, ledger: LEDGER_KINDS } as const;

/** What is stored, how long it lives and what ends it: docs/lives.md, of this release. */
export function tellRetention(io: CliIo): void {
  const kinds = Object.entries(STORES).flatMap(([store, rows]: [string, readonly StoredKind[]]) =>
    rows.map(({ names, what, lives, endedBy }) => ({ store, names, what, lives, endedBy })),
  );
  io.answer({ kinds }, () =>
    table(
      ['store', 'name', 'what it is', 'lives', 'ended by'],
      kinds.map((one) => Object.values(one)),
    ),
  );
}

/**
 * The software that runs: its version, the runtime under it, the packages that it is built of, and the SHA-256 of the program
 * itself, which SHA256SUMS of the release has too. The bill of materials of a release is its `.cdx.json`.
 */
export async function tellSoftware(io: CliIo): Promise<void> {
  const program = programFile();
  const software = {
    name: manifest.name,
    version: manifest.version,
    program:
      program === undefined
        ? 'sources, which are no one file'
        : { path: program, sha256: await sha256Of(program) },
    runtime: { node: process.versions.node, openssl: process.versions.openssl },
    packages: { ...manifest.dependencies, ...manifest.optionalDependencies },
  };
  const { runtime, packages } = software;
  io.answer(software, () =>
    [
      fields([
        ['software', `${software.name} ${software.version}`],
        ['program', program ?? 'sources, which are no one file'],
        ...(typeof software.program === 'string' ? [] : ([['SHA-256', software.program.sha256]] as const)),
        ['runtime', `Node ${runtime.node}, OpenSSL ${runtime.openssl}`],
      ]),
      table(['package', 'version'], Object.entries(packages)),
    ].join('\n\n'),
  );
}

/** The one file of a release that this is: the bundle, or the executable that has it inside; undefined of sources. */
function programFile(): string | undefined {
  if (isSea()) return process.execPath;
  const own = fileURLToPath(import.meta.url);
  return own.endsWith('.ts') || !existsSync(own) ? undefined : own;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
