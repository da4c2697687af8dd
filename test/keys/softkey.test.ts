import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../shared/codec/bytes.ts';
import { Fault } from '../../shared/errors.ts';
import { PemKeyProvider } from '../../shared/keys/pem.ts';
import { Digest } from '../../shared/keys/provider.ts';
import { SoftkeyProvider } from '../../shared/keys/softkey.ts';
import { openSoftkey } from '../../shared/keys/softkey-file.ts';
import { count } from '../support/counts.ts';
import { effort } from '../support/effort.ts';

const PASSPHRASE = 'correct horse battery';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'softkey-'));
});
afterAll(() => rm(folder, { recursive: true }));

function provider(passphrase = PASSPHRASE): SoftkeyProvider {
  return new SoftkeyProvider({
    nodeEnv: undefined,
    env: { PASS: passphrase },
    defaultPassphraseSource: { kind: 'env', name: 'PASS' },
  });
}

async function fault(action: Promise<unknown>): Promise<Fault> {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}

function pem(namedCurve: string, type: 'pkcs8' | 'sec1') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return {
    text: privateKey.export({ format: 'pem', type }).toString(),
    spki: publicKey.export({ format: 'der', type: 'spki' }),
  };
}

describe('a softkey file', () => {
  test('is created whole with mode 0600 and never replaced', async () => {
    const uri = `softkey:${folder}/created.key`;
    await provider().generate(uri, 'ecdsa-p256', 'binding');
    const path = join(folder, 'created.key');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const content = await readFile(path);
    expect((await fault(provider().generate(uri, 'ecdsa-p256', 'binding'))).code).toBe('configuration');
    expect(await readFile(path)).toEqual(content);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  /** Octets from one that is changed to the next; each is tried with scrypt. */
  const STEP = effort({ short: 7, long: 1 });

  test('does not open with any octet changed, and no message holds a secret', async () => {
    const uri = `softkey:${folder}/tamper.key`;
    await provider().generate(uri, 'aes-256', 'wrapping');
    const content = await readFile(join(folder, 'tamper.key'));
    const { secret } = await openSoftkey(content, utf8(PASSPHRASE));
    const open = async (position: number) => {
      const altered = Buffer.from(content);
      altered[position]! ^= 0x01;
      const { code, message } = await fault(openSoftkey(altered, utf8(PASSPHRASE)));
      expect(code).toBe('keyProvider');
      expect(message).not.toContain(toHex(secret));
      expect(message).not.toContain(PASSPHRASE);
    };
    for (let position = 0; position < content.length; position += STEP) {
      await open(position);
      count('mutations', 1);
    }
    await fault(openSoftkey(content.subarray(0, -1), utf8(PASSPHRASE)));
    await fault(openSoftkey(Buffer.concat([content, Buffer.of(0)]), utf8(PASSPHRASE)));
    await fault(openSoftkey(Buffer.alloc(0), utf8(PASSPHRASE)));
  });

  test('does not open with another passphrase', async () => {
    const uri = `softkey:${folder}/passphrase.key`;
    await provider().generate(uri, 'ecdsa-p256', 'binding');
    const { code, message } = await fault(provider('another passphrase').health(uri));
    expect(code).toBe('keyProvider');
    expect(message).not.toContain('another passphrase');
  });

  test('cannot be made with a short passphrase', async () => {
    const { code } = await fault(
      provider('short').generate(`softkey:${folder}/short.key`, 'aes-256', 'wrapping'),
    );
    expect(code).toBe('configuration');
  });

  test('holds neither the secret nor the public key in clear', async () => {
    const { text, spki } = pem('prime256v1', 'pkcs8');
    await provider().importPrivateKey(`softkey:${folder}/clear.key`, text, 'binding');
    const content = await readFile(join(folder, 'clear.key'));
    const { secret } = await openSoftkey(content, utf8(PASSPHRASE));
    expect(content.includes(Buffer.from(secret.subarray(30, 62)))).toBe(false);
    expect(content.includes(spki.subarray(-64))).toBe(false);
  });

  test('that is not there yet is found at a later call', async () => {
    const uri = `softkey:${folder}/later.key`;
    const early = provider();
    expect((await fault(early.health(uri))).code).toBe('keyProvider');
    await provider().generate(uri, 'ecdsa-p256', 'delivery');
    await early.health(uri);
  });
});

describe('the passphrase of softkeys', () => {
  test.each(['\n', '\r\n', ''])(
    'comes from a file, whose last line end is no part of the passphrase',
    async (lineEnd) => {
      const uri = `softkey:${folder}/from-env-${lineEnd.length}.key`;
      await provider().generate(uri, 'ecdsa-p256', 'binding');
      await writeFile(join(folder, 'pass'), PASSPHRASE + lineEnd);
      const keys = new SoftkeyProvider({ nodeEnv: undefined, env: {} });
      await keys.health(`${uri}?passphrase-source=file:${folder}/pass`);
    },
  );

  test('is a configuration fault where no source has it', async () => {
    const keys = new SoftkeyProvider({ nodeEnv: undefined, env: {} });
    const uri = `softkey:${folder}/nowhere.key`;
    await provider().generate(uri, 'ecdsa-p256', 'binding');
    for (const source of ['', '?passphrase-source=env:ABSENT', `?passphrase-source=file:${folder}/absent`]) {
      expect((await fault(keys.health(uri + source))).code).toBe('configuration');
    }
  });
});

describe('keys imported into softkey files', () => {
  test.each([
    ['prime256v1', 'pkcs8', 'ecdsa-p256'],
    ['prime256v1', 'sec1', 'ecdsa-p256'],
    ['brainpoolP256r1', 'pkcs8', 'ecdsa-brainpoolP256r1'],
    ['brainpoolP256r1', 'sec1', 'ecdsa-brainpoolP256r1'],
  ] as const)('%s as %s keeps its public key', async (curve, type, algorithm) => {
    const { text, spki } = pem(curve, type);
    const uri = `softkey:${folder}/imported-${curve}-${type}.key`;
    const keys = provider();
    expect(await keys.importPrivateKey(uri, text, 'binding')).toMatchObject({ algorithm, role: 'binding' });
    expect(toHex(await keys.publicKey(uri))).toBe(toHex(spki));
  });

  test('on another curve, or not a key, are refused without repeating the input', async () => {
    const { text } = pem('secp384r1', 'pkcs8');
    const uri = `softkey:${folder}/refused.key`;
    expect((await fault(provider().importPrivateKey(uri, text, 'binding'))).code).toBe('configuration');
    const { message } = await fault(provider().importPrivateKey(uri, 'c2VjcmV0', 'binding'));
    expect(message).not.toContain('c2VjcmV0');
  });

  test('a PEM file signs as it is', async () => {
    const { text, spki } = pem('brainpoolP256r1', 'sec1');
    await writeFile(join(folder, 'sk.pem'), text);
    const keys = new PemKeyProvider({ nodeEnv: undefined });
    const signature = await keys.sign(`pem:${folder}/sk.pem`, Digest.of(utf8('message')));
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(verify('sha256', utf8('message'), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  });
});

describe('software keys in production', { tags: ['GENS05', 'INO6'] }, () => {
  test('are refused unless a flag says so', () => {
    const production = { nodeEnv: 'production', env: {} };
    expect(() => new SoftkeyProvider(production)).toThrow(Fault);
    expect(() => new PemKeyProvider(production)).toThrow(Fault);
    expect(new SoftkeyProvider({ ...production, allowInProduction: true }).scheme).toBe('softkey');
  });
});
