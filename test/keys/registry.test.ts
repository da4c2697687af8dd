import { constants, createPublicKey, generateKeyPairSync, publicEncrypt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import { PemKeyProvider } from '../../shared/keys/pem.ts';
import { Digest } from '../../shared/keys/provider.ts';
import { KeyRegistry, type KeyUse } from '../../shared/keys/registry.ts';
import { SoftkeyProvider } from '../../shared/keys/softkey.ts';

let folder: string;
let openings: number;
let uses: KeyUse[];
const digest = Digest.of(utf8('manifest'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'registry-'));
  const keys = new SoftkeyProvider(SOFTKEY);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  await writeFile(join(folder, 'dppb.pem'), pem);
  await keys.importPrivateKey(uri('dppb'), pem, 'binding');
  await keys.generate(uri('delivery'), 'ecdsa-p256', 'delivery');
  await keys.generate(uri('wrapping'), 'aes-256', 'wrapping');
  await keys.generate(uri('intake'), 'rsa-oaep', 'intake');
});
afterAll(() => rm(folder, { recursive: true }));

const SOFTKEY = {
  nodeEnv: undefined,
  env: { PASS: 'a long passphrase' },
  defaultPassphraseSource: { kind: 'env', name: 'PASS' },
} as const;

const uri = (name: string) => `softkey:path=${folder}/${name}.key`;

function registry(): KeyRegistry {
  openings = 0;
  uses = [];
  return new KeyRegistry(
    {
      softkey: async () => {
        openings += 1;
        return new SoftkeyProvider(SOFTKEY);
      },
      pem: async () => new PemKeyProvider({ nodeEnv: undefined }),
    },
    (use) => uses.push(use),
  );
}

async function code(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Fault);
  return (error as Fault).code;
}

describe('the key registry and roles', { tags: ['INO1', 'DPFS01'] }, () => {
  test('a binding key never signs a manifest, and a delivery key never binds', async () => {
    const keys = registry();
    await keys.openSigningKey(uri('dppb'), 'binding');
    expect(await code(keys.openSigningKey(uri('dppb'), 'delivery'))).toBe('configuration');
    expect(await code(keys.openSigningKey(uri('delivery'), 'binding'))).toBe('configuration');
  });

  test('a key keeps its role behind another URI and another backend', async () => {
    const keys = registry();
    await keys.openSigningKey(`pem:${folder}/dppb.pem`, 'delivery');
    expect(await code(keys.openSigningKey(uri('dppb'), 'binding'))).toBe('configuration');
  });

  test('signing, wrapping and intake keys do not stand in for each other', async () => {
    const keys = registry();
    expect(await code(keys.openSigningKey(uri('wrapping'), 'binding'))).toBe('configuration');
    expect(await code(keys.openSigningKey(uri('intake'), 'delivery'))).toBe('configuration');
    expect(await code(keys.openWrappingKey(uri('dppb')))).toBe('configuration');
    expect(await code(keys.openIntakeKey(uri('wrapping')))).toBe('configuration');
  });
});

describe('uses of keys', () => {
  test('are counted and told to the journal, also where they fail, without inputs or secrets', async () => {
    const keys = registry();
    const signing = await keys.openSigningKey(uri('dppb'), 'binding');
    await signing.sign(digest);
    signing.signSync?.(digest);
    const wrapping = await keys.openWrappingKey(uri('wrapping'));
    const { wrapped } = await wrapping.generateDataKey({ pack: '1' });
    await wrapping.unwrapDataKey(wrapped, { pack: '1' });
    expect(await code(wrapping.unwrapDataKey(wrapped, { pack: '2' }))).toBe('keyProvider');

    expect(keys.counts().get(uri('dppb'))).toEqual({ sign: { done: 2, failed: 0 } });
    expect(keys.counts().get(uri('wrapping'))).toEqual({
      generateDataKey: { done: 1, failed: 0 },
      unwrapDataKey: { done: 1, failed: 1 },
    });
    expect(uses.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      'sign done',
      'sign done',
      'generateDataKey done',
      'unwrapDataKey done',
      'unwrapDataKey keyProvider',
    ]);
    expect(Object.keys(uses[0]!)).toEqual(['uri', 'role', 'operation', 'outcome']);
  });
});

describe('the backends of the key registry', () => {
  test('are opened once, at the first key of their scheme', async () => {
    const keys = registry();
    expect(openings).toBe(0);
    await Promise.all([
      keys.openSigningKey(uri('dppb'), 'binding'),
      keys.openSigningKey(uri('delivery'), 'delivery'),
    ]);
    expect(openings).toBe(1);
    await keys.health();
    await keys.close();
  });

  test('that are not set up are a configuration fault', async () => {
    expect(await code(registry().openWrappingKey('awskms:alias=a'))).toBe('configuration');
  });

  test('that failed to open are tried again', async () => {
    let tries = 0;
    const keys = new KeyRegistry({
      softkey: async () => {
        tries += 1;
        if (tries === 1) throw new Fault('keyProvider', 'not yet');
        return new SoftkeyProvider(SOFTKEY);
      },
    });
    expect(await code(keys.openWrappingKey(uri('wrapping')))).toBe('keyProvider');
    await keys.openWrappingKey(uri('wrapping'));
  });

  test('an intake key opens RSA-OAEP with SHA-256 and refuses what does not open', async () => {
    const keys = registry();
    const intake = await keys.openIntakeKey(uri('intake'));
    const key = createPublicKey({ key: Buffer.from(intake.publicKey), format: 'der', type: 'spki' });
    const ciphertext = publicEncrypt(
      { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
      Buffer.from('content key'),
    );
    expect(Buffer.from(await intake.decrypt(ciphertext)).toString()).toBe('content key');
    ciphertext[9]! ^= 1;
    await expect(intake.decrypt(ciphertext)).rejects.toMatchObject({ code: 'protocolFormat' });
  });
});
