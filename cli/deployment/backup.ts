import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { chmod, cp, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';
import type { Runtime } from '../../shared/runtime.ts';
import { SmallObjects } from '../../shared/vault/file/small-objects.ts';
import { SMALL_OBJECTS } from '../../shared/vault/file.ts';
import { UsageError } from '../output/failure.ts';
import { configFile, type FolderConfig, isWithin, located, readConfig, writeConfig } from './config-file.ts';
import { type DeploymentFolder, freshTransferSecret } from './folder.ts';

export interface Backup {
  readonly madeAt: string;
  readonly deployment: string;
  /** SHA-256 of the copied ledger, hexadecimal. */
  readonly ledger: string;
  /** The last line of its audit log. */
  readonly audit: { readonly sequence: number; readonly hash: string };
}

/**
 * Copies configuration, ledger and vault of an embedded deployment into a folder, beside a running server: the ledger
 * as of one moment, then the vault, whose objects never change, so that a repeat copies what is new. Complete but for
 * what opens anything: the PPK vault, the keys and the secret of transfer links are left out, since what was destroyed
 * must stay so. From then on the copy is known to be old (standing.ts).
 */
export async function backUp(
  runtime: Runtime,
  deployment: Pick<DeploymentFolder, 'config'>,
  folder: string,
): Promise<Backup> {
  const { config, audit, standing } = runtime;
  const ledger = pathOf(config.ledger, 'sqlite:', 'ledger');
  const vault = pathOf(config.vault, 'file:', 'vault');
  const out = resolve(folder);
  for (const store of [vault, pathOf(config.ppks, 'file:', 'PPK vault')])
    if (isWithin(store, out))
      throw new UsageError('--out lies inside a store of the deployment', 'Name a folder elsewhere.');
  await requireBackupOf(config.deployment, out);
  await mkdir(out, { recursive: true, mode: 0o700 });
  await chmod(out, 0o700);
  const copy = join(out, 'ledger.sqlite');
  const growing = `${copy}.new`;
  await rm(growing, { force: true });
  const head = await audit.head();
  SqliteLedger.copy(ledger, growing);
  await cp(vault, join(out, 'vault'), {
    recursive: true,
    force: false,
    // temporary files come and go under a running server, and a database is copied as of one moment
    filter: (source) => !['tmp', ...smallObjects].includes(relative(vault, source).split(sep)[0]!),
  });
  await copySmallObjects(vault, join(out, 'vault'));
  writeConfig(configFile(out), withoutSecret(deployment.config));
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

/** The database of small objects, and its journals. */
const smallObjects: readonly string[] = ['', '-wal', '-shm'].map((end) => SMALL_OBJECTS + end);

async function copySmallObjects(vault: string, out: string): Promise<void> {
  const growing = join(out, `${SMALL_OBJECTS}.new`);
  await rm(growing, { force: true });
  SmallObjects.copy(join(vault, SMALL_OBJECTS), growing);
  await rename(growing, join(out, SMALL_OBJECTS));
}

async function takeInSmallObjects(vault: string, kept: string): Promise<void> {
  const objects = await SmallObjects.open(join(vault, SMALL_OBJECTS));
  try {
    await objects.takeIn(kept);
  } finally {
    objects.close();
  }
}

/** A folder that has a backup already has one of this deployment. */
async function requireBackupOf(deployment: string, out: string): Promise<void> {
  if (!existsSync(configFile(out))) return;
  const other = readConfig(configFile(out)).runtime.deployment;
  if (other !== deployment)
    throw new UsageError(
      `--out: ${out} has a backup of deployment ${other}, and this one is ${deployment}`,
      'Name a folder of its own for each deployment.',
    );
}

function withoutSecret({ runtime, ...rest }: FolderConfig): FolderConfig {
  const { transferSecret: _, ...kept } = runtime;
  return { ...rest, runtime: kept };
}

/**
 * Puts the ledger of a backup in the place of the deployment's, and what the vault lacks into it. A folder without a
 * configuration, such as a new one, gets that of the backup; one that has another deployment's is refused, before
 * anything is touched.
 */
export async function putBack(folder: string, backup: string): Promise<void> {
  const from = resolve(backup);
  const to = resolve(folder);
  const copy = join(from, 'ledger.sqlite');
  await stat(copy).catch(() => {
    throw new UsageError(`--from: there is no backup in ${backup}`, 'smdpf backup makes one.');
  });
  const own = existsSync(configFile(to)) ? readConfig(configFile(to)) : await configBack(from, to);
  requireSame(own, from);
  const config = located(own, to);
  const ledger = pathOf(config.ledger, 'sqlite:', 'ledger');
  await mkdir(dirname(ledger), { recursive: true, mode: 0o700 });
  const vault = pathOf(config.vault, 'file:', 'vault');
  const kept = join(from, 'vault');
  const filter = (source: string) => !smallObjects.includes(relative(kept, source));
  await cp(kept, vault, { recursive: true, force: false, filter });
  if (existsSync(join(kept, SMALL_OBJECTS))) await takeInSmallObjects(vault, join(kept, SMALL_OBJECTS));
  // without its journals, which belong to another state of the file
  for (const end of ['-wal', '-shm']) await rm(ledger + end, { force: true });
  await cp(copy, `${ledger}.new`);
  await chmod(`${ledger}.new`, 0o600);
  const file = await open(`${ledger}.new`);
  await file.sync().finally(() => file.close());
  await rename(`${ledger}.new`, ledger);
}

/** The configuration of a backup, for a folder that has none: with a secret of its own for transfer links. */
async function configBack(from: string, to: string): Promise<FolderConfig> {
  if (!existsSync(configFile(from)))
    throw new UsageError(
      `--from: the backup in ${from} has no config.json, nor has ${to}`,
      'Put the configuration of the deployment into the folder, and try again.',
    );
  const config = readConfig(configFile(from));
  const { ledger, vault, ppks } = located(config, to);
  for (const uri of [ledger, vault, ppks])
    if (!isWithin(to, uri.slice(uri.indexOf(':') + 1)))
      throw new UsageError(
        `--from: the configuration of the backup has a store outside its folder: ${uri}`,
        `Put a config.json into ${to} that says where the stores are to be, and try again.`,
      );
  await requireNoneElses(to);
  await mkdir(to, { recursive: true, mode: 0o700 });
  await chmod(to, 0o700);
  const { runtime, ...rest } = config;
  const own = { ...rest, runtime: { ...runtime, transferSecret: freshTransferSecret() } };
  writeConfig(configFile(to), own);
  return own;
}

/** What a deployment has in its folder beside its configuration; any of it may be left where the configuration is lost. */
const OF_A_DEPLOYMENT = ['ledger.sqlite', 'vault', 'ppks', 'keys', 'tls'];

/** A folder of something else, such as a home folder, would be closed to others and mixed with the stores. */
async function requireNoneElses(to: string): Promise<void> {
  const there = existsSync(to) ? await readdir(to) : [];
  if (there.length === 0 || there.some((name) => OF_A_DEPLOYMENT.includes(name))) return;
  throw new UsageError(
    `--folder: ${to} is not empty, and nothing in it is of a deployment`,
    'Name a new folder, or that of the deployment.',
  );
}

function requireSame({ runtime: { deployment } }: FolderConfig, from: string): void {
  if (!existsSync(configFile(from))) return;
  const of = readConfig(configFile(from)).runtime.deployment;
  if (of !== deployment)
    throw new UsageError(
      `--from: the backup in ${from} is of deployment ${of}, the folder of ${deployment}`,
      'Name the folder that belongs to it, or a new one.',
    );
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
