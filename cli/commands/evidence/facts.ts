import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
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
  const program = await realpath(process.argv[1] ?? process.execPath);
  const hash = createHash('sha256');
  await pipeline(createReadStream(program), hash);
  const software = {
    name: manifest.name,
    version: manifest.version,
    program: { path: program, sha256: hash.digest('hex') },
    runtime: { node: process.versions.node, openssl: process.versions.openssl },
    packages: { ...manifest.dependencies, ...manifest.optionalDependencies },
  };
  const { runtime, packages } = software;
  io.answer(software, () =>
    [
      fields([
        ['software', `${software.name} ${software.version}`],
        ['program', program],
        ['SHA-256', software.program.sha256],
        ['runtime', `Node ${runtime.node}, OpenSSL ${runtime.openssl}`],
      ]),
      table(['package', 'version'], Object.entries(packages)),
    ].join('\n\n'),
  );
}
