import { CreateAliasCommand, CreateKeyCommand, type KeySpec, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mlDsa65Key, mlDsa65SignatureHolds } from '../../shared/crypto/ml-dsa.ts';
import { AwsKmsProvider } from '../../shared/keys/awskms.ts';
import { Digest } from '../../shared/keys/provider.ts';
import { KeyRegistry } from '../../shared/keys/registry.ts';
import { fault } from './contract.ts';
import { useEmulatorCredentials } from './kms-emulator.ts';
import { type PublishedKms, publishedKms } from './published-kms.ts';

useEmulatorCredentials();
let kms: PublishedKms;
let keys: AwsKmsProvider;

beforeAll(async () => {
  kms = await publishedKms();
  keys = new AwsKmsProvider({ endpoint: kms.url, region: 'eu-central-1' });
});
afterAll(async () => {
  await keys.close();
  await kms.close();
});

const uri = (name: string) => `awskms:key-id=alias/${name};region=eu-central-1`;

test('a key of KeyUsage KEY_AGREEMENT has no use here, and is told so', async () => {
  const client = new KMSClient({ region: 'eu-central-1', endpoint: kms.url });
  const { KeyMetadata } = await client.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }),
  );
  await client.send(new CreateAliasCommand({ AliasName: 'alias/agrees', TargetKeyId: KeyMetadata!.KeyId }));
  client.destroy();
  expect((await fault(keys.describe(uri('agrees')))).code).toBe('configuration');
});

describe('ML-DSA keys', () => {
  test.each<KeySpec>(['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'])('%s is described', async (KeySpec) => {
    const client = new KMSClient({ region: 'eu-central-1', endpoint: kms.url });
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }));
    const AliasName = `alias/${KeySpec}`;
    await client.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata!.KeyId }));
    client.destroy();
    expect(await keys.describe(uri(KeySpec))).toEqual({
      uri: uri(KeySpec),
      algorithm: KeySpec.toLowerCase().replaceAll('_', '-'),
      exportable: false,
      identity: KeyMetadata!.Arn,
      attributes: {
        KeySpec,
        KeyUsage: 'SIGN_VERIFY',
        KeyState: 'Enabled',
        Origin: 'AWS_KMS',
        MultiRegion: false,
      },
    });
    await keys.health(uri(KeySpec));
  });

  test('sign what must hold for years, and nothing else', async () => {
    const registry = new KeyRegistry({ awskms: async () => keys });
    for (const role of ['binding', 'delivery'] as const) {
      const { code, message } = await fault(registry.openSigningKey(uri('ML_DSA_65'), role));
      expect({ code, message }).toEqual({
        code: 'configuration',
        message: `a key for ${role} cannot be ml-dsa-65`,
      });
    }
    for (const KeySpec of ['ML_DSA_44', 'ML_DSA_87'])
      expect((await fault(registry.openSigningKey(uri(KeySpec), 'longTerm'))).code).toBe('configuration');
    expect((await fault(keys.generate(uri('new'), 'ml-dsa-65', 'binding'))).code).toBe('configuration');
  });

  test('are asked for μ of the message, of any length, which the signature then holds over', async () => {
    await keys.generate(uri('long-term'), 'ml-dsa-65', 'longTerm');
    const registry = new KeyRegistry({ awskms: async () => keys });
    const key = await registry.openSigningKey(uri('long-term'), 'longTerm');
    const publicKey = mlDsa65Key(key.publicKey)!;
    for (const length of [0, 1, 5_000, 100_000]) {
      const message = Buffer.alloc(length, 7);
      const signature = await key.sign(Digest.of(message));
      expect(mlDsa65SignatureHolds(publicKey, message, signature)).toBe(true);
      expect(mlDsa65SignatureHolds(publicKey, Buffer.concat([message, Buffer.of(0)]), signature)).toBe(false);
    }
  });
});
