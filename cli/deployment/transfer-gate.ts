import { Fault } from '../../shared/errors.ts';
import type { TransferGate } from '../../shared/vault/transfer.ts';
import type { Vault } from '../../shared/vault/vault.ts';

/** The embedded server answers the links of its vault itself, which only a vault in files lets it do. */
export function transferGate(vault: Vault): TransferGate {
  if (!isTransferGate(vault))
    throw new Fault('configuration', 'the vault of an embedded server is a folder: file:DIR');
  return vault;
}

const isTransferGate = (vault: Vault): vault is Vault & TransferGate => 'openTransfer' in vault;
