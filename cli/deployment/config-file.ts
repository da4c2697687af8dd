import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { Fault } from '../../shared/errors.ts';
import {
  CONFIGURATION_VERSION,
  parseConfiguration,
  type RuntimeConfig,
  runtimeConfig,
} from '../../shared/runtime-config.ts';
import {
  flag,
  list,
  number,
  object,
  optional,
  type TypeOf,
  text,
  whole,
} from '../../shared/service/records/schema.ts';
import { type ChosenLimits, limitsConfig } from '../server/admission/limits.ts';
import { type ConsoleConfig, consoleConfig } from './console-config.ts';

/** Where the server listens; 127.0.0.1, 8443 and 8444 unless given. */
const server = object({
  host: optional(text),
  port: optional(whole),
  fieldPort: optional(whole),
  publicUrl: optional(text),
  /** Threads that answer parties; 1 unless given. */
  threads: optional(whole),
  /** What one caller may take of the server (I13): cli/server/admission/limits.ts. */
  limits: optional(limitsConfig),
});

/** `/metrics` and `/health/ready`: docs/metrics.md. */
const management = object({
  /** False where nobody is to listen. */
  enabled: optional(flag),
  host: optional(text),
  port: optional(whole),
  /** Addresses and networks that may read without a certificate; this machine alone unless given. */
  readers: optional(list(text)),
});

const folderConfig = object({
  runtime: runtimeConfig,
  server,
  /** Minutes between fetches of revocation lists from the distribution points; none where absent or 0. */
  crlFetchMinutes: optional(number),
  /** The console, where the server always has one. */
  console: optional(consoleConfig),
  management: optional(management),
});

/** What `config.json` in a deployment folder says; paths in it are relative to the folder, or absolute. */
export interface FolderConfig {
  readonly runtime: RuntimeConfig;
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly fieldPort: number;
    readonly publicUrl?: string;
    readonly threads?: number;
    readonly limits?: ChosenLimits;
  };
  readonly crlFetchMinutes?: number;
  readonly console?: ConsoleConfig;
  readonly management?: TypeOf<typeof management>;
}

export const SERVER = { host: '127.0.0.1', port: 8443, fieldPort: 8444 };

/** Where a new folder has its stores. */
export const STORES = { ledger: 'sqlite:ledger.sqlite', vault: 'file:vault', ppks: 'file:ppks' } as const;

export const configFile = (folder: string) => join(folder, 'config.json');

export function readConfig(file: string): FolderConfig {
  let json: string;
  try {
    json = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Fault('configuration', `${file} cannot be read`, { cause });
  }
  const config = parseConfiguration(folderConfig, json, file);
  return { ...config, server: { ...SERVER, ...config.server } };
}

/** Whole or not at all, for its owner alone. */
export function writeConfig(file: string, config: FolderConfig): void {
  const growing = `${file}.new`;
  const handle = openSync(growing, 'w', 0o600);
  try {
    writeSync(handle, `${JSON.stringify({ version: CONFIGURATION_VERSION, ...config }, undefined, 2)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  chmodSync(growing, 0o600);
  renameSync(growing, file);
}

/** The same with every path of a store as it is from here, and with the folder that key URIs lead from. */
export function located({ runtime }: FolderConfig, folder: string): RuntimeConfig {
  const { ledger, vault, ppks, keys } = runtime;
  return {
    ...runtime,
    ledger: locatedUri(ledger, folder),
    vault: locatedUri(vault, folder),
    ppks: locatedUri(ppks, folder),
    keys: {
      folder,
      ...keys,
      ...(keys.passphrase !== undefined && { passphrase: locatedUri(keys.passphrase, folder) }),
    },
  };
}

/** Relative paths of `sqlite:FILE` and `file:PATH` lead from the folder; what names no file stays as it is. */
function locatedUri(uri: string, folder: string): string {
  const [, scheme, path] = /^(sqlite:|file:(?:\/\/(?=\/))?)(?!:)(.+)$/.exec(uri) ?? [];
  return scheme === undefined || path === undefined ? uri : `${scheme}${resolve(folder, path)}`;
}

/** Which stores lie in a folder where a deployment has them unless its configuration says otherwise. */
export const storesIn = (folder: string): readonly string[] =>
  ['ledger.sqlite', 'vault', 'ppks'].filter((name) => existsSync(join(folder, name)));

/** Whether the path is that of the folder, or of something in it. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
}
