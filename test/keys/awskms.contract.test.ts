import { randomUUID } from 'node:crypto';
import { AwsKmsProvider } from '../../shared/keys/awskms.ts';
import { keyProviderContract } from './contract.ts';
import { kmsEndpoint, useEmulatorCredentials } from './kms-emulator.ts';

const endpoint = kmsEndpoint();
const run = randomUUID();
useEmulatorCredentials();

keyProviderContract({
  name: 'awskms with an emulator',
  unavailable: endpoint === undefined ? 'SMDPF_TEST_KMS_ENDPOINT names no emulator of KMS' : undefined,
  open: async () => new AwsKmsProvider(),
  uri: (name) => `awskms:key-id=alias/${run}/${name};region=us-east-1;endpoint=${endpoint}`,
  // KMS has neither brainpool nor FRP256V1
  curves: ['ecdsa-p256'],
  ciphertextUnauthenticated: 'MiniStack does not authenticate ciphertexts, as KMS does',
  oaepHash: 'sha-256',
  exportable: false,
  recordsRole: true,
});
