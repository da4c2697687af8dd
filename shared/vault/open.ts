import { Fault } from '../errors.ts';
import type { FileVaultOptions } from './file.ts';
import type { PpkVault, Vault } from './vault.ts';

function split(uri: string): { scheme: string; rest: string } {
  const [, scheme = '', rest = ''] = /^([a-z0-9]+):(.+)$/is.exec(uri) ?? [];
  return { scheme: scheme.toLowerCase(), rest };
}

/**
 * Opens the vault that a URI of the configuration names. Adapters load on demand.
 *
 * - `file:DIR`, relative to the working folder or absolute; needs `transfers`, and is a `TransferGate` for the
 *   server that answers its links
 */
export async function openVault(uri: string, transfers?: FileVaultOptions): Promise<Vault> {
  const { scheme, rest } = split(uri);
  switch (scheme) {
    case 'file': {
      if (transfers === undefined)
        throw new Fault('configuration', 'a file vault needs a base URL and a secret');
      const { FileVault } = await import('./file.ts');
      return FileVault.open(rest, transfers);
    }
    default:
      throw new Fault('configuration', `${uri} names no vault: expected file:DIR`);
  }
}

/**
 * Opens the vault of the profile protection keys. Adapters load on demand.
 *
 * - `file:DIR`
 */
export async function openPpkVault(uri: string): Promise<PpkVault> {
  const { scheme, rest } = split(uri);
  switch (scheme) {
    case 'file': {
      const { FilePpkVault } = await import('./file-ppk.ts');
      return FilePpkVault.open(rest);
    }
    default:
      throw new Fault('configuration', `${uri} names no PPK vault: expected file:DIR`);
  }
}
