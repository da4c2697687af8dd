import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { SoftkeyProvider } from '../../shared/keys/softkey.ts';
import { keyProviderContract } from './contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'softkey-contract-'));
afterAll(() => rmSync(folder, { recursive: true }));

keyProviderContract({
  name: 'softkey',
  unavailable: undefined,
  open: async () => new SoftkeyProvider({ nodeEnv: 'test', env: { PASS: 'a long passphrase' } }),
  uri: (name) => `softkey:path=${folder}/${name}.key?passphrase-source=env:PASS`,
  curves: ['ecdsa-p256', 'ecdsa-brainpoolP256r1', 'ecdsa-frp256v1'],
  oaepHash: 'sha-256',
  exportable: true,
  recordsRole: true,
});
