import { afterAll } from 'vitest';
import { Pkcs11Provider } from '../../shared/keys/pkcs11.ts';
import { keyProviderContract } from './contract.ts';
import { freshSoftHsm } from './softhsm.ts';

const hsm = freshSoftHsm();
afterAll(() => hsm.remove());

keyProviderContract({
  name: 'pkcs11 with SoftHSM2',
  unavailable: hsm.unavailable,
  open: async () => new Pkcs11Provider({ env: {} }),
  uri: hsm.uri,
  curves: ['ecdsa-p256', 'ecdsa-brainpoolP256r1'],
  // SoftHSM2 up to 2.6.1 has no other
  oaepHash: 'sha-1',
  exportable: false,
  recordsRole: false,
});
