import { expect, it } from 'vitest';
import { transferGate } from '../../../cli/deployment/transfer-gate.ts';
import type { Vault } from '../../../shared/vault/vault.ts';

it('the embedded server starts on no vault whose links it could not answer itself', () => {
  const elsewhere = { put: async () => {} } as unknown as Vault;
  expect(() => transferGate(elsewhere)).toThrow('a folder: file:DIR');
});
