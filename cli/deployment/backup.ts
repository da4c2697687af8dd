import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { UsageError } from '../output/failure.ts';

export interface Backup {
  readonly madeAt: string;
  readonly deployment: string;
  /** SHA-256 of the copied ledger, hexadecimal. */
  readonly ledger: string;
  /** The last line of its audit log. */
  readonly audit: { readonly sequence: number; readonly hash: string };
}

/**
 * Copies ledger and vault of an embedded deployment into a folder, beside a running server: the ledger as of one
 * moment, then the vault, whose objects never change, so that a repeat copies what is new. The PPK vault and the keys
 * are left out: what was destroyed must stay so. From then on the copy is known to be old (standing.ts).
 */
export async function backUp(runtime: Runtime, folder: string): Promise<Backup> {
  const { config, audit, standing } = runtime;
  const ledger = pathOf(config.ledger, 'sqlite:', 'ledger');
  const vault = pathOf(config.vault, 'file:', 'vault');
  const out = resolve(folder);
  for (const inside of [vault, pathOf(config.ppks, 'file:', 'PPK vault')])
    if (!relative(inside, out).startsWith('..'))
      throw new UsageError('--out lies inside a store of the deployment', 'Name a folder elsewhere.');
  await mkdir(out, { recursive: true, mode: 0o700 });
  const copy = join(out, 'ledger.sqlite');
  const growing = `${copy}.new`;
  await rm(growing, { force: true });
  const head = await audit.head();
  SqliteLedger.copy(ledger, growing);
  await cp(vault, join(out, 'vault'), {
    recursive: true,
    force: false,
    // temporary files come and go under a running server
    filter: (source) => relative(vault, source).split(sep)[0] !== 'tmp',
  });
  await rename(growing, copy);
  await standing.renewAnchor();
  const backup: Backup = {
    madeAt: new Date().toISOString(),
    deployment: config.deployment,
    ledger: await hashOf(copy),
    audit: head,
  };
  await writeFile(join(out, 'backup.json'), `${JSON.stringify(backup, undefined, 2)}\n`, { mode: 0o600 });
  return backup;
}

/** Puts the ledger of a backup in the place of the deployment's, and what the vault lacks into it. */
export async function putBack(config: Runtime['config'], folder: string): Promise<void> {
  const from = resolve(folder);
  const ledger = pathOf(config.ledger, 'sqlite:', 'ledger');
  const copy = join(from, 'ledger.sqlite');
  await stat(copy).catch(() => {
    throw new UsageError(`--from: there is no backup in ${folder}`, 'smdpf backup makes one.');
  });
  await cp(join(from, 'vault'), pathOf(config.vault, 'file:', 'vault'), { recursive: true, force: false });
  // without its journals, which belong to another state of the file
  for (const end of ['-wal', '-shm']) await rm(ledger + end, { force: true });
  await cp(copy, `${ledger}.new`);
  await rename(`${ledger}.new`, ledger);
}

function pathOf(uri: string, scheme: string, what: string): string {
  if (uri.startsWith(scheme)) return resolve(uri.slice(scheme.length));
  throw new UsageError(
    `the ${what} is ${uri}, not of an embedded deployment`,
    'On AWS, point-in-time recovery makes the backups: docs/runbook.md.',
  );
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
