import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { KeyAlgorithm, KeyRole } from '../../shared/keys/provider.ts';
import { formatKeyUri } from '../../shared/keys/uri.ts';
import { present } from '../../shared/present.ts';
import { openKeys, openRuntime, type Runtime, type RuntimeOptions } from '../../shared/runtime.ts';
import type { RuntimeConfig } from '../../shared/runtime-config.ts';
import { UsageError } from '../output/failure.ts';
import {
  configFile,
  type FolderConfig,
  located,
  readConfig,
  SERVER,
  STORES,
  storesIn,
  writeConfig,
} from './config-file.ts';

export interface FolderOptions {
  readonly address?: string;
  readonly host?: string;
  readonly port?: number;
  readonly fieldPort?: number;
  /** That answer parties. */
  readonly threads?: number;
  readonly crlFetchMinutes?: number;
  readonly runtime?: Partial<RuntimeConfig>;
  /** Other keys than softkeys, such as in a token; made if they are not there. */
  readonly keys?: Partial<RuntimeConfig['keys']>;
}

/**
 * An embedded deployment in one folder: ledger, vault, PPK vault, keys, configuration. Made on first use, found as it
 * was afterwards, also where the folder was moved: what it says of itself has no paths from outside. The passphrase of
 * the key files lies beside them unless SMDPF_PASSPHRASE is set when the folder is made: good for development, and
 * refused in production (docs/keys.md).
 */
export class DeploymentFolder {
  /** Absolute. */
  readonly folder: string;
  readonly config: FolderConfig;

  private constructor(folder: string, config: FolderConfig) {
    this.folder = folder;
    this.config = config;
  }

  /** Opens the deployment, and makes it where nothing of one is there. */
  static async open(path: string, options: FolderOptions = {}): Promise<DeploymentFolder> {
    const folder = resolve(path);
    if (!DeploymentFolder.exists(folder)) {
      requireNoStores(folder);
      await create(folder, options);
    }
    return new DeploymentFolder(folder, readConfig(configFile(folder)));
  }

  /** Opens a deployment that is there. */
  static async existing(path: string): Promise<DeploymentFolder> {
    if (!DeploymentFolder.exists(path)) {
      requireNoStores(resolve(path));
      throw new UsageError(
        `--folder: there is no deployment in ${path}`,
        'smdpf serve makes one; name its folder with --folder.',
      );
    }
    return await DeploymentFolder.open(path);
  }

  /** Whether there is a deployment in the folder already. */
  static exists(path: string): boolean {
    return existsSync(configFile(resolve(path)));
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Relative to the folder, as it is stored. */
  keyUri(name: string): string {
    return keyUri(name);
  }

  runtimeConfig(publicUrl?: string): RuntimeConfig {
    const url = publicUrl ?? this.config.server.publicUrl;
    return { ...located(this.config, this.folder), ...present({ publicUrl: url }) };
  }

  openRuntime(options: RuntimeOptions = {}, more: Partial<RuntimeConfig> = {}): Promise<Runtime> {
    return openRuntime({ ...more, ...this.runtimeConfig(more.publicUrl) }, options);
  }
}

/** A lost configuration is not made anew: under another identity the same requests would get other answers. */
function requireNoStores(folder: string): void {
  const stores = storesIn(folder);
  if (stores.length === 0) return;
  throw new UsageError(
    `--folder: config.json is missing in ${folder}, where ${stores.join(', ')} of a deployment are`,
    `Put it back from a backup, or have it made again from what the stores say of themselves: smdpf restore config --folder ${folder}`,
  );
}

export const keyUri = (name: string) => formatKeyUri({ scheme: 'softkey', path: `keys/${name}.key` });

/** What a folder of its own has, where nothing else is asked for. */
export function freshRuntimeConfig(deployment: string, address: string): RuntimeConfig {
  const fromEnvironment = process.env.SMDPF_PASSPHRASE !== undefined;
  return {
    deployment,
    address,
    ...STORES,
    keys: {
      wrapping: keyUri('wrapping'),
      delivery: keyUri('delivery'),
      intake: keyUri('intake'),
      passphrase: fromEnvironment ? 'env:SMDPF_PASSPHRASE' : 'file:keys/passphrase',
    },
    transferSecret: freshTransferSecret(),
  };
}

/** Hexadecimal, 32 octets. */
export const freshTransferSecret = () => randomBytes(32).toString('hex');

async function create(folder: string, options: FolderOptions): Promise<void> {
  mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const fresh = freshRuntimeConfig(randomBytes(16).toString('hex'), options.address ?? 'smdpf.example.com');
  const passphraseFile = join(folder, 'keys', 'passphrase');
  if (fresh.keys.passphrase?.startsWith('file:') && !existsSync(passphraseFile)) {
    writeFileSync(passphraseFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
  }
  const runtime: RuntimeConfig = {
    ...fresh,
    keys: { ...fresh.keys, ...options.keys },
    ...options.runtime,
  };
  const config: FolderConfig = {
    runtime,
    server: {
      host: options.host ?? SERVER.host,
      port: options.port ?? SERVER.port,
      fieldPort: options.fieldPort ?? SERVER.fieldPort,
      ...present({ threads: options.threads }),
    },
    crlFetchMinutes: options.crlFetchMinutes ?? 0,
  };
  await createKeys(located(config, folder), [
    [runtime.keys.wrapping, 'aes-256', 'wrapping'],
    [runtime.keys.delivery, 'ecdsa-p256', 'delivery'],
    ...(runtime.keys.intake === undefined ? [] : [[runtime.keys.intake, 'rsa-oaep', 'intake'] as const]),
  ]);
  // the configuration comes last and whole: a start that was cut off starts afresh
  writeConfig(configFile(folder), config);
}

/** Makes the keys that are not there yet. */
async function createKeys(
  config: RuntimeConfig,
  wanted: readonly (readonly [uri: string, algorithm: KeyAlgorithm, role: KeyRole])[],
): Promise<void> {
  const registry = openKeys(config, process.env);
  try {
    for (const [uri, algorithm, role] of wanted) await registry.generate(uri, algorithm, role);
  } finally {
    await registry.close();
  }
}
