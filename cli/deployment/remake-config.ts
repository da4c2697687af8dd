import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';
import { keyAssignment } from '../../shared/service/records/custody.ts';
import type { IdentityRecord } from '../../shared/service/records/identity.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { readIdentities } from '../../shared/service/restore/identity.ts';
import { FileVault } from '../../shared/vault/file.ts';
import { FilePpkVault } from '../../shared/vault/file-ppk.ts';
import { UsageError } from '../output/failure.ts';
import { configFile, SERVER, storesIn, writeConfig } from './config-file.ts';
import { freshRuntimeConfig } from './folder.ts';

export interface RemadeConfig {
  readonly file: string;
  readonly deployment: string;
  readonly address: string;
  /** The store that knew. */
  readonly from: string;
  readonly warnings: readonly string[];
}

const ROLES = ['wrapping', 'delivery', 'intake', 'longTerm'] as const;

/**
 * Makes a lost config.json again: identity and address from the stores of the folder, which must agree; the keys in
 * use from the ledger; everything else as in a new folder. Transfer links that were given out are void.
 */
export async function remakeConfig(path: string): Promise<RemadeConfig> {
  const folder = resolve(path);
  const file = configFile(folder);
  if (existsSync(file))
    throw new UsageError(
      `--folder: ${file} is there`,
      'Only a missing one is made again: move it away if it cannot be used.',
    );
  const { identity, from, assigned } = await whatStoresSay(folder);
  const fresh = freshRuntimeConfig(identity.deployment, identity.address);
  const runtime = { ...fresh, keys: { ...fresh.keys, ...assigned } };
  writeConfig(file, { runtime, server: SERVER, crlFetchMinutes: 0 });
  const absent = ROLES.filter(
    (role) => assigned[role] === undefined && !existsSync(join(folder, 'keys', `${role}.key`)),
  );
  return {
    file,
    deployment: identity.deployment,
    address: identity.address,
    from,
    warnings: [
      'ports, sizes, rates and crlFetchMinutes are as in a new folder: look them through',
      ...absent.map((role) => `the ${role} key is not in ${join(folder, 'keys')}: put it back, or name it`),
    ],
  };
}

/** Looks at the stores that are there, and makes none. */
async function whatStoresSay(folder: string) {
  const there = storesIn(folder);
  const secret = { baseUrl: 'https://localhost', transferSecret: new Uint8Array(32) };
  const ledger = there.includes('ledger.sqlite')
    ? await SqliteLedger.open(join(folder, 'ledger.sqlite'))
    : undefined;
  const vault = there.includes('vault') ? await FileVault.open(join(folder, 'vault'), secret) : undefined;
  const ppks = there.includes('ppks') ? await FilePpkVault.open(join(folder, 'ppks')) : undefined;
  try {
    const found = await readIdentities({ ledger, vault, ppks });
    const [from, identity] = oneOf(Object.entries(found), folder);
    const assigned: { [Role in (typeof ROLES)[number]]?: string } = {};
    for (const role of ROLES) {
      const item = await ledger?.get(ledgerKeys.keyAssignment(role));
      if (item !== undefined) assigned[role] = keyAssignment.from(item).uri;
    }
    return { identity, from, assigned };
  } finally {
    await Promise.all([ledger?.close(), vault?.close(), ppks?.close()]);
  }
}

function oneOf(
  found: readonly (readonly [string, IdentityRecord | undefined])[],
  folder: string,
): readonly [string, IdentityRecord] {
  const known = found.flatMap(([store, identity]) =>
    identity === undefined ? [] : [[store, identity] as const],
  );
  const [first] = known;
  if (first === undefined)
    throw new UsageError(
      `--folder: no store in ${folder} says whose it is`,
      'Name the folder of a deployment, or put its backup into a new one with smdpf restore put.',
    );
  if (known.some(([, { deployment }]) => deployment !== first[1].deployment))
    throw new UsageError(
      `--folder: the stores in ${folder} belong to different deployments: ${known.map(([store, { deployment }]) => `${store} to ${deployment}`).join(', ')}`,
      'Put the stores of one deployment together.',
    );
  return first;
}
