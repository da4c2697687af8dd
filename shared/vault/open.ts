import { Fault } from '../errors.ts';
import { NO_PORT, noPort } from '../no-port.ts';
import { ifPresent, present } from '../present.ts';
import type { FileVaultOptions } from './file.ts';
import type { PpkVault, Vault } from './vault.ts';

const S3_PLACE =
  /^\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\?lock-days=([1-9]\d{0,4})(?:&region=([a-z]{2}(?:-[a-z]+)+-\d))?)?$/;

function split(uri: string): { scheme: string; rest: string } {
  const [, scheme = '', rest = ''] = /^([a-z0-9]+):(.+)$/is.exec(uri) ?? [];
  return { scheme: scheme.toLowerCase(), rest };
}

/**
 * Opens the vault that a URI of the configuration names. Adapters load on demand.
 *
 * - `file:DIR`, relative to the working folder or absolute; needs `transfers`, and is a `TransferGate` for the
 *   server that answers its links
 * - `s3://BUCKET`, optionally `?lock-days=N` to keep locked objects by S3 Object Lock, and `&region=R` for a bucket of
 *   another region; with the region, credentials and endpoint of the SDK's own configuration otherwise
 * - `none:`, for a process that has no vault
 */
export async function openVault(uri: string, transfers?: FileVaultOptions): Promise<Vault> {
  if (uri === NO_PORT) return noPort('vault');
  const { scheme, rest } = split(uri);
  switch (scheme) {
    case 'file': {
      if (transfers === undefined)
        throw new Fault('configuration', 'a file vault needs a base URL and a secret');
      const { FileVault } = await import('./file.ts');
      return FileVault.open(rest, transfers);
    }
    case 's3': {
      const [, bucket, days, region] = S3_PLACE.exec(rest) ?? [];
      if (bucket === undefined)
        throw new Fault('configuration', `${uri} names no bucket: expected s3://BUCKET`);
      const { S3Vault } = await import('./s3.ts');
      return S3Vault.open(bucket, {
        ...present({ lockRetentionDays: ifPresent(days, Number) }),
        ...(region !== undefined && { config: { region } }),
      });
    }
    default:
      throw new Fault('configuration', `${uri} names no vault: expected file:DIR or s3://BUCKET`);
  }
}

/**
 * Opens the vault of the profile protection keys. Adapters load on demand.
 *
 * - `file:DIR`, on a file system that overwrites in place, and in no backup
 * - `dynamodb:TABLE`, a table without point-in-time recovery, backups and streams
 * - `none:`, for a process that has none
 */
export async function openPpkVault(uri: string): Promise<PpkVault> {
  if (uri === NO_PORT) return noPort('vault');
  const { scheme, rest } = split(uri);
  switch (scheme) {
    case 'file': {
      const { FilePpkVault } = await import('./file-ppk.ts');
      return FilePpkVault.open(rest);
    }
    case 'dynamodb': {
      const { DynamoDbPpkVault } = await import('./dynamodb-ppk.ts');
      return DynamoDbPpkVault.open(rest);
    }
    default:
      throw new Fault('configuration', `${uri} names no PPK vault: expected file:DIR or dynamodb:TABLE`);
  }
}
