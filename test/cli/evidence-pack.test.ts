import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compactVerify, importJWK, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { opensslMissing } from '../pki/openssl-certificates.ts';
import { runCli } from './support/cli.ts';
import { SandboxFolder } from './support/sandbox-folder.ts';

const WHY = opensslMissing === undefined ? '' : ` (skipped: ${opensslMissing})`;

let sandbox: SandboxFolder;
let pack: string;
let keys: string;
beforeAll(async () => {
  sandbox = await SandboxFolder.create();
  pack = sandbox.path('pack');
  const results = await sandbox.file('report.json', JSON.stringify({ green: true }));
  expect((await sandbox.run('evidence', 'pack', '--out', pack, '--results', results)).code).toBe(0);
  // from another channel than the pack: the server itself
  keys = await sandbox.withRuntime(async ({ services }) =>
    sandbox.file('keys.json', JSON.stringify(await services.orders.getServerKeys({ role: 'operator' }))),
  );
});
afterAll(() => sandbox?.remove());

const verify = async () =>
  (await runCli('evidence', 'verify', pack, '--keys', keys, '--json')).json<Verdict>();
interface Verdict {
  readonly holds: boolean;
  readonly problems: readonly object[];
}

/** Does the change to a file of the pack, and takes it back. */
async function changed(name: string, change: (octets: Buffer) => Buffer | undefined): Promise<Verdict> {
  const file = join(pack, name);
  const before = readFileSync(file);
  const after = change(Buffer.from(before));
  if (after === undefined) rmSync(file);
  else writeFileSync(file, after);
  try {
    return await verify();
  } finally {
    writeFileSync(file, before);
  }
}

describe('a pack for an audit', { tags: ['EVIDENCE-PACK'] }, () => {
  it('has a file for each topic, and holds', async () => {
    expect(await verify()).toMatchObject({ holds: true, problems: [] });
    expect(readdirSync(pack).filter((name) => /^\d/.test(name))).toHaveLength(8);
    const read = (name: string) =>
      JSON.parse(readFileSync(join(pack, name), 'utf8')) as Record<string, unknown>;
    expect(read('1-key-management.json')).toMatchObject({
      keys: expect.arrayContaining([expect.objectContaining({ role: 'delivery', state: 'active' })]),
    });
    expect(read('4-logging.json')).toMatchObject({ holds: true, problems: [], timeSource: 'not configured' });
    expect(read('8-software-life-cycle.json')).toMatchObject({ results: { green: true } });
  });

  it('has no secret of the deployment', () => {
    const config = JSON.parse(readFileSync(join(sandbox.folder, 'config.json'), 'utf8')) as {
      runtime: { transferSecret: string };
    };
    const passphrase = readFileSync(join(sandbox.folder, 'keys', 'passphrase'), 'utf8');
    for (const name of readdirSync(pack)) {
      const text = readFileSync(join(pack, name), 'utf8');
      for (const secret of [config.runtime.transferSecret, passphrase])
        expect(text, name).not.toContain(secret);
    }
  });

  it('does not hold where one octet of any file was changed, or a file is missing or put beside', async () => {
    for (const name of readdirSync(pack).filter((file) => file !== 'delivery-key.json')) {
      const octet = (octets: Buffer) => {
        octets[Math.floor(octets.length / 2)]! ^= 1;
        return octets;
      };
      const verdict = await changed(name, octet).catch(() => ({ holds: false, problems: [{}] }));
      expect(verdict.holds, name).not.toBe(true);
    }
    expect((await changed('2-roles.json', () => undefined)).problems).toEqual([
      { file: '2-roles.json', problem: 'it is missing' },
    ]);
    writeFileSync(join(pack, '9-more.json'), '{}');
    expect((await verify()).problems).toEqual([{ file: '9-more.json', problem: 'it was not signed' }]);
    rmSync(join(pack, '9-more.json'));
  });

  it.skipIf(opensslMissing !== undefined)(`is verified by jose and openssl${WHY}`, async () => {
    const jws = readFileSync(join(pack, 'manifest.jws'), 'latin1').trim();
    const jwk = JSON.parse(readFileSync(join(pack, 'delivery-key.json'), 'utf8')) as JWK;
    const { payload } = await compactVerify(jws, await importJWK(jwk, 'ES256'));
    const { files } = JSON.parse(Buffer.from(payload).toString()) as { files: Record<string, string> };
    for (const [name, hash] of Object.entries(files))
      expect(
        createHash('sha256')
          .update(readFileSync(join(pack, name)))
          .digest('hex'),
      ).toBe(hash);

    const [head, body, signature] = jws.split('.') as [string, string, string];
    const raw = Buffer.from(signature, 'base64url');
    const integer = (octets: Buffer) => {
      const short = octets.subarray(octets.findIndex((octet) => octet !== 0));
      const value = short[0]! & 0x80 ? Buffer.concat([Buffer.of(0), short]) : short;
      return Buffer.concat([Buffer.of(2, value.length), value]);
    };
    const both = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
    const der = await sandbox.file('manifest.sig', Buffer.concat([Buffer.of(0x30, both.length), both]));
    const signed = await sandbox.file('manifest.signed', `${head}.${body}`);
    const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ format: 'pem', type: 'spki' });
    const key = await sandbox.file('delivery.pem', pem);
    const said = execFileSync('openssl', ['dgst', '-sha256', '-verify', key, '-signature', der, signed], {
      encoding: 'utf8',
    });
    expect(said.trim()).toBe('Verified OK');
  });
});
