import { createPublicKey, constants as cryptoConstants, publicEncrypt, verify } from 'node:crypto';
import { ecdsa, weierstrass } from '@noble/curves/abstract/weierstrass.js';
import { brainpoolP256r1 } from '@noble/curves/misc.js';
import { p256 } from '@noble/curves/nist.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bytes, fromHex, toHex, utf8 } from '../../shared/codec/bytes.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { Fault } from '../../shared/errors.ts';
import { rewrapDataKey } from '../../shared/keys/data-key.ts';
import {
  Digest,
  type IntakeDecrypter,
  type KeyAlgorithm,
  type KeyGenerator,
  type KeyProvider,
  type OaepHash,
} from '../../shared/keys/provider.ts';
import { KeyRegistry } from '../../shared/keys/registry.ts';
import { type KeyScheme, parseKeyUri } from '../../shared/keys/uri.ts';

type AllAbilities = KeyProvider & KeyGenerator & IntakeDecrypter;

export interface Backend {
  readonly name: string;
  /** Why the suite cannot run here; undefined where it can. */
  readonly unavailable: string | undefined;
  /** A provider of its own, as another process would have. */
  open(): Promise<AllAbilities>;
  /** The URI of a key that does not exist yet. */
  uri(name: string, algorithm?: KeyAlgorithm): string;
  readonly curves: readonly KeyAlgorithm[];
  /** The hash of RSA-OAEP that the backend must describe. */
  readonly oaepHash: OaepHash;
  /** Why altered octets and another key go unnoticed: the emulators of KMS do not authenticate what they encrypt. */
  readonly ciphertextUnauthenticated?: string;
  readonly exportable: boolean;
  readonly recordsRole: boolean;
}

/** The same for every backend; messages of fixed content, so that all see the same. */
const MESSAGES = ['', 'a', 'x'.repeat(63), 'y'.repeat(64), 'z'.repeat(100_000)].map(utf8);
const CONTEXT = { order: 'A-1', pack: '17' };

export function keyProviderContract(backend: Backend): void {
  if (backend.unavailable !== undefined) {
    describe.skip(`${backend.name} (skipped: ${backend.unavailable})`, () => {
      test('the key provider contract', () => {});
    });
    return;
  }

  describe(`${backend.name} keeps the key provider contract`, () => {
    let keys: AllAbilities;
    beforeAll(async () => {
      keys = await backend.open();
    });
    afterAll(() => keys.close());

    describe.each(backend.curves)('%s', (algorithm) => {
      const uri = backend.uri(`sign-${algorithm}`, algorithm);
      beforeAll(async () => {
        await keys.generate(uri, algorithm, 'binding');
      });

      test('describes the key', async () => {
        const description = await keys.describe(uri);
        expect(description).toMatchObject({ uri, algorithm, exportable: backend.exportable });
        expect(description.role).toBe(backend.recordsRole ? 'binding' : undefined);
        expect(description.identity).not.toBe('');
        await keys.health(uri);
      });

      test('signs as raw r‖s, which node:crypto and @noble/curves verify', async () => {
        const spki = await keys.publicKey(uri);
        for (const message of MESSAGES) {
          const signature = await keys.sign(uri, Digest.of(message));
          expect(signature).toHaveLength(64);
          expect(holds(algorithm, spki, message, signature)).toEqual([true, true]);
          expect(holds(algorithm, spki, utf8('another'), signature)).toEqual([false, false]);
        }
      });

      test('keeps the key: another provider signs with it', async () => {
        const other = await backend.open();
        try {
          const signature = await other.sign(uri, Digest.of(utf8('later')));
          expect(holds(algorithm, await keys.publicKey(uri), utf8('later'), signature)).toEqual([true, true]);
        } finally {
          await other.close();
        }
      });

      test('signs many messages at once, each its own', async () => {
        const spki = await keys.publicKey(uri);
        const messages = Array.from({ length: 64 }, (_, index) => utf8(`message ${index}`));
        const signatures = await Promise.all(messages.map((message) => keys.sign(uri, Digest.of(message))));
        for (const [index, message] of messages.entries()) {
          expect(holds(algorithm, spki, message, signatures[index]!)).toEqual([true, true]);
        }
      });

      test('does not wrap or decrypt', async () => {
        expect((await fault(keys.generateDataKey(uri, CONTEXT))).code).toBe('configuration');
        expect((await fault(keys.decrypt(uri, Buffer.alloc(384)))).code).toBe('configuration');
      });

      test('is not replaced by generating again', async () => {
        const spki = toHex(await keys.publicKey(uri));
        expect(await keys.exists(uri)).toBe(true);
        expect(await keys.exists(backend.uri(`never-made-${algorithm}`, algorithm))).toBe(false);
        expect((await fault(keys.generate(uri, algorithm, 'binding'))).code).toBe('configuration');
        expect(toHex(await (await backend.open()).publicKey(uri))).toBe(spki);
      });

      test('has one role', async () => {
        const registry = new KeyRegistry({ [parseKeyUri(uri).scheme as KeyScheme]: backend.open });
        await registry.openSigningKey(uri, 'binding');
        expect((await fault(registry.openSigningKey(uri, 'delivery'))).code).toBe('configuration');
        expect((await fault(registry.openWrappingKey(uri))).code).toBe('configuration');
        await registry.close();
      });
    });

    describe('aes-256', () => {
      const uri = backend.uri('wrap', 'aes-256');
      beforeAll(async () => {
        await keys.generate(uri, 'aes-256', 'wrapping');
      });

      test('wraps fresh data keys of 32 octets and unwraps them, in another provider too', async () => {
        const other = await backend.open();
        const first = await keys.generateDataKey(uri, CONTEXT);
        const second = await keys.generateDataKey(uri, CONTEXT);
        expect(first.plaintext).toHaveLength(32);
        expect(toHex(first.plaintext)).not.toBe(toHex(second.plaintext));
        expect(toHex(first.wrapped)).not.toContain(toHex(first.plaintext));
        // the order of a context's entries means nothing
        const unwrapped = await other.unwrapDataKey(uri, first.wrapped, { pack: '17', order: 'A-1' });
        expect(toHex(unwrapped)).toBe(toHex(first.plaintext));
        await other.close();
      });

      test.each([
        ['another value', { order: 'A-1', pack: '18' }],
        ['an entry less', { order: 'A-1' }],
        ['an entry more', { ...CONTEXT, part: '1' }],
        ['entries that run together', { order: 'A-1pack17' }],
        ['none', {}],
      ])('refuses a wrong context: %s', async (_, context: Record<string, string>) => {
        const { wrapped } = await keys.generateDataKey(uri, CONTEXT);
        expect((await fault(keys.unwrapDataKey(uri, wrapped, context))).code).toBe('keyProvider');
      });

      test.skipIf(backend.ciphertextUnauthenticated !== undefined)(
        `refuses altered octets${backend.ciphertextUnauthenticated ? ` (skipped: ${backend.ciphertextUnauthenticated})` : ''}`,
        async () => {
          const { wrapped, plaintext } = await keys.generateDataKey(uri, CONTEXT);
          for (const position of [0, 1, 13, wrapped.length - 17, wrapped.length - 1]) {
            const altered = Buffer.from(wrapped);
            altered[position]! ^= 0x80;
            const { code, message } = await fault(keys.unwrapDataKey(uri, altered, CONTEXT));
            expect(code).toBe('keyProvider');
            expect(message).not.toContain(toHex(plaintext));
          }
          await fault(keys.unwrapDataKey(uri, wrapped.subarray(1), CONTEXT));
          await fault(keys.unwrapDataKey(uri, Buffer.alloc(0), CONTEXT));
        },
      );

      test('wraps many at once', async () => {
        const made = await Promise.all(
          Array.from({ length: 32 }, (_, pack) => keys.generateDataKey(uri, { pack: `${pack}` })),
        );
        const opened = await Promise.all(
          made.map(({ wrapped }, pack) => keys.unwrapDataKey(uri, wrapped, { pack: `${pack}` })),
        );
        expect(opened.map(toHex)).toEqual(made.map(({ plaintext }) => toHex(plaintext)));
      });

      test('moves a data key to another wrapping key, with its context', async () => {
        const next = backend.uri('wrap-next', 'aes-256');
        await keys.generate(next, 'aes-256', 'wrapping');
        const registry = new KeyRegistry({ [parseKeyUri(uri).scheme as KeyScheme]: backend.open });
        const [from, to] = await Promise.all([registry.openWrappingKey(uri), registry.openWrappingKey(next)]);
        const { plaintext, wrapped } = await from.generateDataKey(CONTEXT);
        const moved = await rewrapDataKey(from, to, wrapped, CONTEXT);
        expect(toHex(await to.unwrapDataKey(moved, CONTEXT))).toBe(toHex(plaintext));
        expect((await fault(to.unwrapDataKey(moved, { order: 'A-2' }))).code).toBe('keyProvider');
        if (backend.ciphertextUnauthenticated === undefined) await fault(from.unwrapDataKey(moved, CONTEXT));
        await fault(to.wrapDataKey(plaintext.subarray(1), CONTEXT));
        await registry.close();
      });

      test('does not sign and has no public key', async () => {
        expect((await fault(keys.sign(uri, Digest.of(utf8('a'))))).code).toBe('configuration');
        expect((await fault(keys.publicKey(uri))).code).toBe('configuration');
      });
    });

    describe('rsa-oaep', () => {
      const uri = backend.uri('intake', 'rsa-oaep');
      const encrypted = async (content: string, hash: OaepHash = backend.oaepHash): Promise<Buffer> => {
        const spki = Buffer.from(await keys.publicKey(uri));
        const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
        const padding = cryptoConstants.RSA_PKCS1_OAEP_PADDING;
        return publicEncrypt({ key, padding, oaepHash: hash.replace('-', '') }, Buffer.from(content));
      };
      beforeAll(async () => {
        await keys.generate(uri, 'rsa-oaep', 'intake');
      });

      test(`says that its hash is ${backend.oaepHash}`, async () => {
        const description = await keys.describe(uri);
        expect(description).toMatchObject({ algorithm: 'rsa-oaep', oaepHash: backend.oaepHash });
        expect(description.exportable).toBe(backend.exportable);
      });

      test('opens what was encrypted to it, in another provider too', async () => {
        const other = await backend.open();
        for (const provider of [keys, other]) {
          const content = await provider.decrypt(uri, await encrypted('content key'));
          expect(Buffer.from(content).toString()).toBe('content key');
        }
        await other.close();
      });

      test('opens many at once, each its own', async () => {
        const contents = Array.from({ length: 16 }, (_, index) => `content key ${index}`);
        const opened = await Promise.all(
          contents.map(async (content) => keys.decrypt(uri, await encrypted(content))),
        );
        expect(opened.map((octets) => Buffer.from(octets).toString())).toEqual(contents);
      });

      test('refuses what does not open', async () => {
        const altered = await encrypted('content key');
        altered[100]! ^= 1;
        await expect(keys.decrypt(uri, altered)).rejects.toMatchObject({ code: 'protocolFormat' });
        await expect(keys.decrypt(uri, Buffer.alloc(3))).rejects.toMatchObject({ code: 'protocolFormat' });
        await expect(keys.decrypt(uri, Buffer.alloc(384))).rejects.toMatchObject({ code: 'protocolFormat' });
      });

      test.skipIf(backend.ciphertextUnauthenticated !== undefined)(
        'refuses the other hash: nobody but the key chooses it',
        async () => {
          const other = await encrypted('content key', backend.oaepHash === 'sha-1' ? 'sha-256' : 'sha-1');
          await expect(keys.decrypt(uri, other)).rejects.toMatchObject({ code: 'protocolFormat' });
        },
      );

      test('does not sign', async () => {
        expect((await fault(keys.sign(uri, Digest.of(utf8('a'))))).code).toBe('configuration');
      });
    });

    test('a key that is not there is a Fault for every operation', async () => {
      const uri = backend.uri('absent');
      await fault(keys.describe(uri));
      await fault(keys.publicKey(uri));
      await fault(keys.sign(uri, Digest.of(utf8('a'))));
      await fault(keys.generateDataKey(uri, CONTEXT));
      await fault(keys.health(uri));
    });

    test('a role is refused for an algorithm that does not fit it', async () => {
      const uri = backend.uri('unfit');
      expect((await fault(keys.generate(uri, 'aes-256', 'binding'))).code).toBe('configuration');
      expect((await fault(keys.generate(uri, 'ecdsa-p256', 'wrapping'))).code).toBe('configuration');
      // reports are signed with ES256
      expect((await fault(keys.generate(uri, 'ecdsa-brainpoolP256r1', 'delivery'))).code).toBe(
        'configuration',
      );
      await fault(keys.health(uri));
    });

    test('a URI of another scheme is refused', async () => {
      const other = keys.scheme === 'softkey' ? 'awskms:alias=a' : 'softkey:a.key';
      expect((await fault(keys.describe(other))).code).toBe('configuration');
    });
  });
}

export async function fault(action: Promise<unknown>): Promise<Fault> {
  const error = await action.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}

/** What node:crypto and @noble/curves say; for FRP256V1, which OpenSSL lacks, the suite stands in for the former. */
function holds(algorithm: KeyAlgorithm, spki: Bytes, message: Bytes, signature: Bytes): [boolean, boolean] {
  const { point, curve } = fromSpki(spki);
  const noble = NOBLE_CURVES[algorithm as keyof typeof NOBLE_CURVES];
  const byNoble = noble.verify(signature, message, point, { lowS: false });
  if (algorithm === 'ecdsa-frp256v1') {
    return [curve.signatureHolds(curve.publicKey(point), message, signature), byNoble];
  }
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return [verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature), byNoble];
}

const octets = (hex: string) => BigInt(`0x${toHex(fromHex(hex))}`);

/** ANSSI, JORF 16 October 2011, entered here again so that a wrong parameter in the suite shows. */
const frp256v1 = ecdsa(
  weierstrass({
    p: octets('f1fd178c0b3ad58f10126de8ce42435b3961adbcabc8ca6de8fcf353d86e9c03'),
    a: octets('f1fd178c0b3ad58f10126de8ce42435b3961adbcabc8ca6de8fcf353d86e9c00'),
    b: octets('ee353fca5428a9300d4aba754a44c00fdfec0c9ae4b1a1803075ed967b7bb73f'),
    n: octets('f1fd178c0b3ad58f10126de8ce42435b53dc67e140d2bf941ffdd459c6d655e1'),
    h: 1n,
    Gx: octets('b6b3d4c356c139eb31183d4749d423958c27d2dcaf98b70164c97a2dd98f5cff'),
    Gy: octets('6142e0f7c8b204911f9271f0f3ecef8c2701c307e8e4c9e183115a1554062cfb'),
  }),
  sha256,
);

const NOBLE_CURVES = {
  'ecdsa-p256': p256,
  'ecdsa-brainpoolP256r1': brainpoolP256r1,
  'ecdsa-frp256v1': frp256v1,
} as const;
