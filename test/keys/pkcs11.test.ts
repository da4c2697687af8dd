import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../shared/codec/bytes.ts';
import { fromSpki } from '../../shared/crypto/ec-key-forms.ts';
import { errorRecords } from '../../shared/events/error-record.ts';
import { loadCryptoki } from '../../shared/keys/pkcs11/module.ts';
import { Pkcs11Provider } from '../../shared/keys/pkcs11.ts';
import { Digest } from '../../shared/keys/provider.ts';
import { fault } from './contract.ts';
import { freshSoftHsm } from './softhsm.ts';

const hsm = freshSoftHsm();
afterAll(() => hsm.remove());
const message = utf8('message');

describe('the PKCS#11 provider without a token', () => {
  test('a library that is not there is a configuration fault', async () => {
    const keys = new Pkcs11Provider({ env: { PIN: '1' } });
    const uri = 'pkcs11:token=t;object=o?module-path=/nowhere/lib.so&pin-source=env:PIN';
    expect((await fault(keys.health(uri))).code).toBe('configuration');
  });

  test('module-path and pin-source come from the URI or the options, and must come from one', async () => {
    const keys = new Pkcs11Provider({ env: {} });
    expect((await fault(keys.health('pkcs11:token=t;object=o'))).message).toContain('module-path');
    const uri = 'pkcs11:token=t;object=o?module-path=/nowhere/lib.so';
    expect((await fault(keys.health(uri))).message).toContain('pin-source');
  });
});

describe.skipIf(hsm.unavailable !== undefined)(
  `keys in SoftHSM2${hsm.unavailable === undefined ? '' : ` (skipped: ${hsm.unavailable})`}`,
  () => {
    const uri = hsm.uri('dppb');
    let keys: Pkcs11Provider;

    beforeAll(async () => {
      keys = new Pkcs11Provider({ env: {}, sessions: 3 });
      await keys.generate(uri, 'ecdsa-p256', 'binding');
    });
    afterAll(() => keys.close());

    async function signs(provider = keys): Promise<void> {
      const { curve, point } = fromSpki(await provider.publicKey(uri));
      const signature = await provider.sign(uri, Digest.of(message));
      expect(curve.signatureHolds(curve.publicKey(point), message, signature)).toBe(true);
    }

    /** A token that is away is a fault that passes, the first time and the next. */
    async function isAway(): Promise<void> {
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const { code, retryable } = await fault(keys.sign(uri, Digest.of(message)));
        expect({ code, retryable }).toEqual({ code: 'keyProvider', retryable: true });
      }
    }

    function slotOfToken() {
      const { library } = loadCryptoki(hsm.modulePath);
      const slot = library
        .C_GetSlotList(true)
        .find((candidate) => library.C_GetTokenInfo(candidate).label.trim() === 'smdpf test');
      return { library, slot: slot! };
    }

    test('a generated key is born in the token, never extractable, and can sign and nothing else', async () => {
      expect((await keys.describe(uri)).attributes).toEqual({
        CKA_PRIVATE: true,
        CKA_SENSITIVE: true,
        CKA_ALWAYS_SENSITIVE: true,
        CKA_EXTRACTABLE: false,
        CKA_NEVER_EXTRACTABLE: true,
        CKA_LOCAL: true,
        CKA_SIGN: true,
        CKA_DECRYPT: false,
        CKA_UNWRAP: false,
        CKA_DERIVE: false,
      });
    });

    test('a key that may derive and not sign has no use here, and is told so', async () => {
      const { library, slot } = slotOfToken();
      const { constants } = loadCryptoki(hsm.modulePath);
      const { CKF_SERIAL_SESSION, CKF_RW_SESSION, CKM_EC_KEY_PAIR_GEN } = constants;
      const session = library.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION);
      const common = [
        { type: constants.CKA_TOKEN, value: true },
        { type: constants.CKA_LABEL, value: 'derives' },
        { type: constants.CKA_ID, value: Buffer.from('derives') },
      ];
      library.C_GenerateKeyPair(
        session,
        { mechanism: CKM_EC_KEY_PAIR_GEN },
        [...common, { type: constants.CKA_EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') }],
        [
          ...common,
          { type: constants.CKA_PRIVATE, value: true },
          { type: constants.CKA_DERIVE, value: true },
          { type: constants.CKA_SIGN, value: false },
        ],
      );
      library.C_CloseSession(session);
      expect((await fault(keys.describe(hsm.uri('derives')))).message).toContain('may derive and not sign');
    });

    test('an intake key can decrypt and nothing else', async () => {
      const { attributes } = await keys.generate(hsm.uri('rows'), 'rsa-oaep', 'intake');
      expect(attributes).toMatchObject({
        CKA_NEVER_EXTRACTABLE: true,
        CKA_LOCAL: true,
        CKA_SIGN: false,
        CKA_DECRYPT: true,
        CKA_UNWRAP: false,
        CKA_DERIVE: false,
      });
    });

    test('a key is found by CKA_ID as well', async () => {
      const id = (await keys.describe(uri)).identity.split('/')[2]!;
      const byId = uri.replace('object=dppb', `id=${id.replace(/../g, '%$&')}`);
      expect(toHex(await keys.publicKey(byId))).toBe(toHex(await keys.publicKey(uri)));
    });

    test('an imported key signs, and does not pass for one born in the token', async () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' });
      const file = join(hsm.folder, 'import.pem');
      writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }));
      const options = ['--token', 'smdpf test', '--pin', hsm.pin, '--label', 'imported', '--id', 'a1'];
      execFileSync('softhsm2-util', ['--import', file, ...options], { stdio: 'pipe' });
      const description = await keys.describe(hsm.uri('imported'));
      expect(description.algorithm).toBe('ecdsa-brainpoolP256r1');
      expect(description.attributes).toMatchObject({ CKA_LOCAL: false, CKA_NEVER_EXTRACTABLE: false });
      expect(await keys.sign(hsm.uri('imported'), Digest.of(message))).toHaveLength(64);
    });

    test('two keys of one name are not guessed between', async () => {
      for (const id of ['%01', '%02']) {
        await keys.generate(`${hsm.uri('twin').replace('?', `;id=${id}?`)}`, 'aes-256', 'wrapping');
      }
      expect((await fault(keys.describe(hsm.uri('twin')))).message).toContain('several keys');
    });

    test('closed sessions and a lost login are made anew, in the middle of work', async () => {
      const { library, slot } = slotOfToken();
      await signs();
      library.C_CloseAllSessions(slot);
      await signs();
      const work = Array.from({ length: 200 }, () => keys.sign(uri, Digest.of(message)));
      await nextTurn();
      library.C_CloseAllSessions(slot);
      const { curve, point } = fromSpki(await keys.publicKey(uri));
      for (const signature of await Promise.all(work)) {
        expect(curve.signatureHolds(curve.publicKey(point), message, signature)).toBe(true);
      }
    });

    test('a library that was finalised by others is started again', async () => {
      const { library } = slotOfToken();
      library.C_Finalize();
      await signs();
    });

    test('a token that is gone is a retryable fault, and is used again when it is back', async () => {
      const { library } = slotOfToken();
      const tokens = join(hsm.folder, 'tokens');
      const [name] = readdirSync(tokens);
      // SoftHSM2 looks for its tokens when it is initialised: this is pulling the token and starting anew
      renameSync(join(tokens, name!), join(hsm.folder, 'pulled'));
      library.C_Finalize();
      await isAway();
      renameSync(join(hsm.folder, 'pulled'), join(tokens, name!));
      library.C_Finalize();
      await signs();
    });

    test('a token whose slot stays and cannot tell what is in it is a retryable fault too', async () => {
      const { library } = slotOfToken();
      const tokens = join(hsm.folder, 'tokens');
      const [name] = readdirSync(tokens);
      renameSync(join(tokens, name!), join(hsm.folder, 'pulled'));
      await isAway();
      renameSync(join(hsm.folder, 'pulled'), join(tokens, name!));
      library.C_Finalize();
      await signs();
    });

    test('the PIN is in no error, log line, object or argument of the process', async () => {
      await signs();
      const wrong = new Pkcs11Provider({ env: { PIN: '98765' } });
      const wrongUri = uri.replace(/pin-source=.*/, 'pin-source=env:PIN');
      await keys.close();
      const error = await fault(wrong.sign(wrongUri, Digest.of(message)));
      const told = [
        inspect(error, { depth: 9, showHidden: true }),
        JSON.stringify(errorRecords(error)),
        inspect(wrong, { depth: 9, showHidden: true }),
        inspect(keys, { depth: 9, showHidden: true }),
        process.argv.join(' '),
        readFileSync('/proc/self/cmdline', 'latin1'),
        JSON.stringify(await keys.describe(uri)),
      ].join('\n');
      for (const pin of ['98765', hsm.pin]) expect(told).not.toContain(pin);
      expect(told).toContain('CKR_PIN_INCORRECT');
    });

    test('a refused PIN is not tried again, so that the token does not lock', async () => {
      const env = { PIN: '00000' };
      const wrong = new Pkcs11Provider({ env });
      const wrongUri = uri.replace(/pin-source=.*/, 'pin-source=env:PIN');
      // the login counts for the whole process, so the others leave first
      await keys.close();
      const first = await fault(wrong.sign(wrongUri, Digest.of(message)));
      expect(first.code).toBe('configuration');
      expect(first.message).not.toContain('00000');
      env.PIN = hsm.pin;
      expect(await fault(wrong.sign(wrongUri, Digest.of(message)))).toBe(first);
      await new Pkcs11Provider({ env }).health(wrongUri);
    });
  },
);
