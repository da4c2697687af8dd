import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../shared/codec/bytes.ts';
import { keyBackends } from '../../shared/keys/backends.ts';
import { Digest } from '../../shared/keys/provider.ts';
import { KeyRegistry } from '../../shared/keys/registry.ts';
import { fault } from './contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'backends-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the backends of a server', () => {
  test('open softkey with the default passphrase source, and pem', async () => {
    const registry = new KeyRegistry(
      keyBackends({
        nodeEnv: undefined,
        env: { PASS: 'a long passphrase' },
        softkeyPassphraseSource: 'env:PASS',
      }),
    );
    const { SoftkeyProvider } = await import('../../shared/keys/softkey.ts');
    const softkey = await registry.provider('softkey:a');
    expect(softkey).toBeInstanceOf(SoftkeyProvider);
    await (softkey as InstanceType<typeof SoftkeyProvider>).generate(
      `softkey:${folder}/a.key`,
      'aes-256',
      'wrapping',
    );
    await registry.openWrappingKey(`softkey:${folder}/a.key`);

    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeFileSync(join(folder, 'a.pem'), privateKey.export({ format: 'pem', type: 'sec1' }));
    const pem = await registry.openSigningKey(`pem:${folder}/a.pem`, 'binding');
    expect(pem.signSync?.(Digest.of(utf8('a')))).toHaveLength(64);
    await registry.close();
  });

  test.each(['softkey:a', 'pem:a'])(
    'in production refuse %s unless asked for',
    { tags: ['GENS05', 'INO6'] },
    async (uri) => {
      const production = { nodeEnv: 'production', env: {} };
      expect((await fault(new KeyRegistry(keyBackends(production)).provider(uri))).code).toBe(
        'configuration',
      );
      const allowed = keyBackends({ ...production, allowSoftwareKeysInProduction: true });
      await new KeyRegistry(allowed).provider(uri);
    },
  );

  test('an endpoint of KMS over a network without TLS is refused', async () => {
    const settings = { nodeEnv: undefined, env: {}, awskms: { endpoint: 'http://kms.example.com' } };
    const registry = new KeyRegistry(keyBackends(settings));
    expect((await fault(registry.provider('awskms:alias=a'))).code).toBe('configuration');
  });

  test('a secret source that is none is refused without being repeated', async () => {
    const settings = { nodeEnv: undefined, env: {}, softkeyPassphraseSource: 'hunter2-hunter2' };
    const { code, message } = await fault(new KeyRegistry(keyBackends(settings)).provider('softkey:a'));
    expect(code).toBe('configuration');
    expect(message).not.toContain('hunter2');
  });

  test('load neither the AWS SDK nor the PKCS#11 addon before a key asks for them', () => {
    const program = `
      import { createRequire } from 'node:module';
      import { keyBackends } from ${JSON.stringify(new URL('../../shared/keys/backends.ts', import.meta.url))};
      import { KeyRegistry } from ${JSON.stringify(new URL('../../shared/keys/registry.ts', import.meta.url))};
      const registry = new KeyRegistry(keyBackends({ nodeEnv: undefined, env: {}, awskms: { patience: { interactive: 0, bulk: 0 } } }));
      await registry.provider('softkey:a');
      await registry.provider('pkcs11:token=a;object=b');
      const count = () => [...Object.keys(createRequire(import.meta.url).cache), ...process.report.getReport().sharedObjects]
        .filter((path) => /aws-sdk|pkcs11/.test(path)).length;
      const before = count();
      await (await registry.provider('awskms:alias=a')).describe('awskms:alias=a;region=us-east-1;endpoint=http://127.0.0.1:9').catch(() => {});
      console.log(before, count() > 0);
    `;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(output.trim()).toBe('0 true');
  });
});
