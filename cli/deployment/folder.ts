import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Fault } from '../../shared/errors.ts';
import type { KeyAlgorithm, KeyRole } from '../../shared/keys/provider.ts';
import { formatKeyUri } from '../../shared/keys/uri.ts';
import { present } from '../../shared/present.ts';
import { openKeys, openRuntime, type Runtime, type RuntimeOptions } from '../../shared/runtime.ts';
import {
  CONFIGURATION_VERSION,
  parseConfiguration,
  type RuntimeConfig,
  runtimeConfig,
} from '../../shared/runtime-config.ts';
import { number, object, optional, text, whole } from '../../shared/service/records/schema.ts';

/** Where the server listens; 127.0.0.1, 8443 and 8444 unless given. */
const server = object({
  host: optional(text),
  port: optional(whole),
  fieldPort: optional(whole),
  publicUrl: optional(text),
});

const folderConfig = object({
  runtime: runtimeConfig,
  server,
  /** Minutes between fetches of revocation lists from the distribution points; none where absent or 0. */
  crlFetchMinutes: optional(number),
});

/** What `config.json` in a deployment folder says; paths in it are absolute or relative to the folder. */
export interface FolderConfig {
  readonly runtime: RuntimeConfig;
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly fieldPort: number;
    readonly publicUrl?: string;
  };
  readonly crlFetchMinutes?: number;
}

const SERVER = { host: '127.0.0.1', port: 8443, fieldPort: 8444 };

export interface FolderOptions {
  readonly address?: string;
  readonly host?: string;
  readonly port?: number;
  readonly fieldPort?: number;
  readonly crlFetchMinutes?: number;
  readonly runtime?: Partial<RuntimeConfig>;
  /** Other keys than softkeys, such as in a token; made if they are not there. */
  readonly keys?: Partial<RuntimeConfig['keys']>;
}

/**
 * An embedded deployment in one folder: ledger, vault, PPK vault, keys, configuration. Made on first use, found as it
 * was afterwards. The passphrase of the key files lies beside them unless SMDPF_PASSPHRASE is set when the folder is
 * made: good for development, and refused in production (docs/keys.md).
 */
export class DeploymentFolder {
  readonly folder: string;
  readonly config: FolderConfig;

  private constructor(folder: string, config: FolderConfig) {
    this.folder = folder;
    this.config = config;
  }

  static async open(path: string, options: FolderOptions = {}): Promise<DeploymentFolder> {
    const folder = resolve(path);
    const file = join(folder, 'config.json');
    if (!existsSync(file)) await create(folder, file, options);
    const config = parseConfiguration(folderConfig, readConfigFile(file), file);
    return new DeploymentFolder(folder, { ...config, server: { ...SERVER, ...config.server } });
  }

  /** Whether there is a deployment in the folder already. */
  static exists(path: string): boolean {
    return existsSync(join(resolve(path), 'config.json'));
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  keyUri(name: string): string {
    return keyUri(this.folder, name);
  }

  runtimeConfig(publicUrl?: string): RuntimeConfig {
    const { runtime, server } = this.config;
    const url = publicUrl ?? server.publicUrl;
    return { ...runtime, ...present({ publicUrl: url }) };
  }

  openRuntime(options: RuntimeOptions = {}, more: Partial<RuntimeConfig> = {}): Promise<Runtime> {
    return openRuntime({ ...more, ...this.runtimeConfig(more.publicUrl) }, options);
  }
}

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Fault('configuration', `${file} cannot be read`, { cause });
  }
}

const keyUri = (folder: string, name: string) =>
  formatKeyUri({ scheme: 'softkey', path: join(folder, 'keys', `${name}.key`) });

async function create(folder: string, file: string, options: FolderOptions): Promise<void> {
  mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 });
  const passphraseFile = join(folder, 'keys', 'passphrase');
  const fromEnvironment = process.env.SMDPF_PASSPHRASE !== undefined;
  if (!fromEnvironment && !existsSync(passphraseFile)) {
    writeFileSync(passphraseFile, randomBytes(32).toString('base64url'), { mode: 0o600 });
  }
  const runtime: RuntimeConfig = {
    deployment: randomBytes(16).toString('hex'),
    address: options.address ?? 'smdpf.example.com',
    ledger: `sqlite:${join(folder, 'ledger.sqlite')}`,
    vault: `file:${join(folder, 'vault')}`,
    ppks: `file:${join(folder, 'ppks')}`,
    keys: {
      wrapping: keyUri(folder, 'wrapping'),
      delivery: keyUri(folder, 'delivery'),
      intake: keyUri(folder, 'intake'),
      passphrase: fromEnvironment ? 'env:SMDPF_PASSPHRASE' : `file:${passphraseFile}`,
      ...options.keys,
    },
    transferSecret: randomBytes(32).toString('hex'),
    ...options.runtime,
  };
  await createKeys(runtime, [
    [runtime.keys.wrapping, 'aes-256', 'wrapping'],
    [runtime.keys.delivery, 'ecdsa-p256', 'delivery'],
    ...(runtime.keys.intake === undefined ? [] : [[runtime.keys.intake, 'rsa-oaep', 'intake'] as const]),
  ]);
  const config: FolderConfig & { readonly version: number } = {
    version: CONFIGURATION_VERSION,
    runtime,
    server: {
      host: options.host ?? SERVER.host,
      port: options.port ?? SERVER.port,
      fieldPort: options.fieldPort ?? SERVER.fieldPort,
    },
    crlFetchMinutes: options.crlFetchMinutes ?? 0,
  };
  // the configuration comes last and whole: a start that was cut off starts afresh
  writeFileSync(`${file}.new`, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
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
