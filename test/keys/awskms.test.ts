import { randomUUID } from 'node:crypto';
import { CreateKeyCommand, DisableKeyCommand, KMSClient, UpdateAliasCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../shared/codec/bytes.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { type AwsKmsOptions, AwsKmsProvider } from '../../shared/keys/awskms.ts';
import type { Slowed } from '../../shared/keys/provider.ts';
import { Digest } from '../../shared/keys/provider.ts';
import { fault } from './contract.ts';
import { type FaultPlan, faultProxy } from './fault-proxy.ts';
import { kmsEndpoint, useEmulatorCredentials } from './kms-emulator.ts';

const endpoint = kmsEndpoint();
useEmulatorCredentials();

describe.skipIf(endpoint === undefined)(
  `AWS KMS in an emulator${endpoint === undefined ? ' (skipped: SMDPF_TEST_KMS_ENDPOINT names none)' : ''}`,
  () => {
    const run = randomUUID();
    const alias = (name: string) => `awskms:key-id=alias/${run}/${name};region=us-east-1`;
    const signing = alias('dppb');
    const wrapping = alias('wrapping');
    const closing: (() => Promise<void>)[] = [];
    const digest = Digest.of(utf8('message'));
    let client: KMSClient;

    beforeAll(async () => {
      client = new KMSClient({ region: 'us-east-1', endpoint: endpoint! });
      const keys = provider();
      await keys.generate(signing, 'ecdsa-p256', 'binding');
      await keys.generate(wrapping, 'aes-256', 'wrapping');
    });
    afterAll(async () => {
      client.destroy();
      for (const close of closing) await close();
    });

    function provider(options: AwsKmsOptions = {}): AwsKmsProvider {
      const keys = new AwsKmsProvider({ endpoint: endpoint!, ...options });
      closing.push(() => keys.close());
      return keys;
    }

    async function throughProxy(plan: FaultPlan, options: AwsKmsOptions = {}) {
      const proxy = await faultProxy(endpoint!, plan);
      const slowed: Slowed[] = [];
      const keys = provider({ endpoint: proxy.url, onSlowed: (event) => slowed.push(event), ...options });
      closing.push(() => proxy.close());
      return { proxy, slowed, keys };
    }

    test('throttled to one success in ten, every signature comes, once, and the slowing is told', async () => {
      const { proxy, slowed, keys } = await throughProxy((operation, count) =>
        operation === 'Sign' && count % 10 !== 0 ? 'ThrottlingException' : undefined,
      );
      const { curve, point } = fromSpki(await keys.publicKey(signing));
      const messages = Array.from({ length: 12 }, (_, index) => utf8(`message ${index}`));
      const signatures = await Promise.all(messages.map((message) => keys.sign(signing, Digest.of(message))));
      for (const [index, message] of messages.entries()) {
        expect(curve.signatureHolds(curve.publicKey(point), message, signatures[index]!)).toBe(true);
      }
      expect(proxy.passed.get('Sign')).toBe(12);
      expect(slowed).toHaveLength(proxy.seen.get('Sign')! - 12);
      expect(slowed[0]).toMatchObject({ call: 'Sign', reason: 'throttled' });
    });

    test('throttled for longer than our patience, it is a retryable fault with its own code', async () => {
      const { keys } = await throughProxy(
        (operation) => (operation === 'Sign' ? 'ThrottlingException' : undefined),
        {
          patience: { interactive: 100, bulk: 200 },
        },
      );
      const { code, retryable } = await fault(keys.sign(signing, digest, { priority: 'interactive' }));
      expect({ code, retryable }).toEqual({ code: 'keyProviderThrottled', retryable: true });
    });

    test('an internal error of KMS and a broken connection are tried again', async () => {
      const { keys, slowed } = await throughProxy((operation, count) => {
        if (operation !== 'Decrypt') return undefined;
        return [undefined, 'KMSInternalException', 'cut'][count];
      });
      const { wrapped, plaintext } = await keys.generateDataKey(wrapping, { pack: '1' });
      expect(toHex(await keys.unwrapDataKey(wrapping, wrapped, { pack: '1' }))).toBe(toHex(plaintext));
      expect(slowed.map(({ reason }) => reason)).toEqual(['transient', 'transient']);
    });

    test('an endpoint where nobody listens is a retryable fault', async () => {
      const keys = provider({ endpoint: 'http://127.0.0.1:9', patience: { interactive: 100, bulk: 100 } });
      const { code, retryable } = await fault(keys.describe(signing));
      expect({ code, retryable }).toEqual({ code: 'keyProvider', retryable: true });
    });

    test.each([
      ['AccessDeniedException', 'configuration', /lack the permission kms:Sign/],
      ['InvalidKeyUsageException', 'configuration', /key spec or key usage/],
      ['UnrecognizedClientException', 'configuration', /credentials/],
      ['KMSInvalidStateException', 'keyProvider', /disabled or pending deletion/],
      ['SomethingNewException', 'keyProvider', /SomethingNewException/],
    ])('%s is not tried again and says what to change', async (name, code, message) => {
      const { keys, proxy } = await throughProxy((operation) => (operation === 'Sign' ? name : undefined));
      const error = await fault(keys.sign(signing, digest));
      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
      expect(proxy.seen.get('Sign')).toBe(1);
    });

    test('a wrong alias is a configuration fault that names it', async () => {
      const { code, message } = await fault(provider().describe(alias('nobody')));
      expect(code).toBe('configuration');
      expect(message).toContain(`alias/${run}/nobody`);
    });

    test('a key of another spec is a configuration fault that names the spec', async () => {
      const created = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P384', KeyUsage: 'SIGN_VERIFY' });
      const { KeyMetadata } = await client.send(created);
      const error = await fault(provider().describe(`awskms:key-id=${KeyMetadata!.Arn!}`));
      expect(error.code).toBe('configuration');
      expect(error.message).toContain('ECC_NIST_P384');
    });

    test('an alias that is moved does not move the key of a running server', async () => {
      const keys = provider();
      const uri = alias('moved');
      await keys.generate(uri, 'ecdsa-p256', 'binding');
      const before = toHex(await keys.publicKey(uri));
      const created = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
      const { KeyMetadata } = await client.send(created);
      const moved = { AliasName: `alias/${run}/moved`, TargetKeyId: KeyMetadata!.KeyId };
      await client.send(new UpdateAliasCommand(moved));
      await keys.health(uri);
      const { curve, point } = fromSpki(Buffer.from(before, 'hex'));
      const signature = await keys.sign(uri, digest);
      expect(curve.signatureHolds(curve.publicKey(point), digest.message, signature)).toBe(true);
      expect(toHex(await provider().publicKey(uri))).not.toBe(before);
    });

    test('a disabled key is not healthy', async () => {
      const keys = provider();
      const uri = alias('disabled');
      const { identity } = await keys.generate(uri, 'ecdsa-p256', 'binding');
      await keys.health(uri);
      await client.send(new DisableKeyCommand({ KeyId: identity }));
      expect((await fault(keys.health(uri))).code).toBe('keyProvider');
      expect((await fault(keys.sign(uri, digest))).message).toContain('disabled');
    });

    test('signing keeps to the rate that was set', async () => {
      const keys = provider({ signsPerSecond: 100, interactiveShare: 0.5 });
      await keys.publicKey(signing);
      const start = performance.now();
      await Promise.all(Array.from({ length: 50 }, () => keys.sign(signing, digest)));
      // 12 at once, then 50 a second for bulk
      expect(performance.now() - start).toBeGreaterThan(700);
    });
  },
);
