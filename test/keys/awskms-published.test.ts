import { CreateAliasCommand, CreateKeyCommand, type KeySpec, KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../shared/codec/bytes.ts';
import { P256 } from '../../shared/crypto/curves.ts';
import { AwsKmsProvider } from '../../shared/keys/awskms.ts';
import { Digest } from '../../shared/keys/provider.ts';
import { KeyRegistry } from '../../shared/keys/registry.ts';
import { fault, keyAgreementContract } from './contract.ts';
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

describe('DeriveSharedSecret as published, asked by the real client', () => {
  // KMS agrees on NIST curves and SM2 only
  keyAgreementContract(['ecdh-p256'], () => keys, { uri, exportable: false });

  test('is asked with a SubjectPublicKeyInfo, and never with a point off the curve', async () => {
    await keys.generate(uri('asked'), 'ecdh-p256', 'intake');
    const asked = () => kms.requests.filter(({ operation }) => operation === 'DeriveSharedSecret');
    const before = asked().length;
    const offCurve = Buffer.from(P256.generateEphemeral().point);
    offCurve[64]! ^= 1;
    await expect(keys.agree(uri('asked'), offCurve)).rejects.toMatchObject({ code: 'oneTimeKeyInvalid' });
    expect(asked()).toHaveLength(before);

    const { point } = P256.generateEphemeral();
    await keys.agree(uri('asked'), point);
    const { KeyId, KeyAgreementAlgorithm, PublicKey } = asked().at(-1)!.input;
    expect(KeyId).toMatch(/^arn:aws:kms:eu-central-1:111122223333:key\//);
    expect(KeyAgreementAlgorithm).toBe('ECDH');
    expect(Buffer.from(String(PublicKey), 'base64').subarray(-65)).toEqual(Buffer.from(point));
  });

  test('a key made for intake says so, and is of KeyUsage KEY_AGREEMENT', async () => {
    const { role, attributes } = await keys.describe(uri('asked'));
    expect(role).toBe('intake');
    expect(attributes).toMatchObject({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' });
  });
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
      algorithm: 'ml-dsa',
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

  test('have no role yet, and neither sign nor agree', async () => {
    const registry = new KeyRegistry({ awskms: async () => keys });
    for (const role of ['binding', 'delivery'] as const) {
      const { code, message } = await fault(registry.openSigningKey(uri('ML_DSA_65'), role));
      expect({ code, message }).toEqual({
        code: 'configuration',
        message: `a key for ${role} cannot be ml-dsa`,
      });
    }
    expect((await fault(keys.sign(uri('ML_DSA_65'), Digest.of(utf8('a'))))).code).toBe('configuration');
    expect((await fault(keys.agree(uri('ML_DSA_65'), P256.generateEphemeral().point))).code).toBe(
      'configuration',
    );
    expect((await fault(keys.generate(uri('new'), 'ml-dsa', 'binding'))).code).toBe('configuration');
  });
});
