import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../cli/deployment/tls.ts';
import { selfSigned } from '../support/self-signed.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';
import { SandboxFolder } from './support/sandbox-folder.ts';

let sandbox: SandboxFolder;
beforeAll(async () => {
  sandbox = await SandboxFolder.create();
});
afterAll(() => sandbox?.remove());

const run = (...args: string[]) => sandbox.run('party', ...args);

const refused = (...args: string[]) => sandbox.refused('party', ...args);

interface Party {
  readonly identifier: string;
  readonly role: string;
  readonly fingerprint: string;
  readonly name?: string;
  readonly revokedAt?: number;
}
const parties = async () => (await run('list')).json<{ parties: Party[] }>().parties;

/** An identifier of its own for each of several names. */
const idOf = (name: string) => `2.999.${Buffer.from(name.padEnd(4)).readUInt32BE()}`;

describe('smdpf party add', () => {
  it('registers a certificate that somebody brings, in PEM or DER, and says its fingerprint', async () => {
    const certificate = selfSigned('operator');
    const file = await sandbox.file('operator.pem', certificate.cert);
    const added = await run('add', '2.999.60', '--role', 'operator', '--certificate', file, '--name', 'MNO');
    expect(added.json()).toEqual({
      identifier: '2.999.60',
      role: 'operator',
      fingerprint: certificate.fingerprint,
    });
    expect(await parties()).toMatchObject([
      { identifier: '2.999.60', role: 'operator', fingerprint: certificate.fingerprint, name: 'MNO' },
    ]);
    const { stdout } = await runCli('party', 'list', '--folder', sandbox.folder);
    expect(stdout).toMatch(new RegExp(`${certificate.fingerprint} +valid until 2099-12-31`));
    // the same again is the same
    expect((await run('add', '2.999.60', '--role', 'operator', '--certificate', file)).code).toBe(0);
    expect(await parties()).toHaveLength(1);
  });

  it('issued again is as it was, with a word of it; a key without its certificate gets one', async () => {
    const add = () => run('add', '2.999.77', '--role', 'operator', '--issue');
    const first = (await add()).json<{ issued: { certificate: string; key: string }; fingerprint: string }>();
    const { certificate, key } = first.issued;
    const octets = [certificate, key].map((file) => readFileSync(file, 'utf8'));
    const again = (await add()).json<{ fingerprint: string; warnings: { message: string }[] }>();
    expect(again.fingerprint).toBe(first.fingerprint);
    expect(JSON.stringify(again.warnings)).toContain('it is kept, with its key');
    expect([certificate, key].map((file) => readFileSync(file, 'utf8'))).toEqual(octets);
    rmSync(certificate);
    const renewed = (await add()).json<{ fingerprint: string }>();
    expect(renewed).not.toHaveProperty('warnings');
    expect(renewed.fingerprint).not.toBe(first.fingerprint);
    expect(readFileSync(key, 'utf8')).toBe(octets[1]);
    const pair = new X509Certificate(readFileSync(certificate));
    expect(pair.checkPrivateKey(createPrivateKey(readFileSync(key)))).toBe(true);
  });

  it.each(['eum', 'deviceMaker', 'auditor', 'administrator'])(
    'issues a certificate of the development CA for a %s, its key for the owner alone',
    async (role) => {
      const { code, json } = await run('add', idOf(role), '--role', role, '--issue');
      expect(code).toBe(0);
      const { issued, fingerprint } = json<{
        fingerprint: string;
        issued: { certificate: string; key: string };
      }>();
      expect(fingerprintOf(readFileSync(issued.certificate, 'utf8'))).toBe(fingerprint);
      expect(statSync(issued.key).mode & 0o777).toBe(0o600);
    },
  );

  it('wants exactly one of --certificate and --issue, a role and an identifier', async () => {
    const file = await sandbox.file('another.pem', selfSigned('another').cert);
    for (const args of [
      ['2.999.61', '--role', 'operator'],
      ['2.999.61', '--role', 'operator', '--issue', '--certificate', file],
      ['2.999.61', '--certificate', file],
      ['2.999.61', '--role', 'root', '--certificate', file],
      ['no identifier', '--role', 'operator', '--certificate', file],
      ['--role', 'operator', '--certificate', file],
      ['2.999.61', '--role', 'operator', '--certificate', sandbox.path('nothing')],
    ])
      expect(await refused('add', ...args), args.join(' ')).toMatchObject({ code: 'usage', exitCode: 2 });
  });

  it('takes no file that is no certificate', async () => {
    for (const [content, expected] of [
      ['no certificate', { code: 'protocolFormat', exitCode: 1 }],
      [Buffer.of(0x30, 3, 2, 1, 1), { code: 'usage', exitCode: 2 }],
      ['', { code: 'usage', exitCode: 2 }],
    ] as const) {
      const file = await sandbox.file('garbage', content);
      const error = await refused('add', '2.999.61', '--role', 'operator', '--certificate', file);
      expect(error).toMatchObject(expected);
      expect(error.message).toContain('--certificate');
    }
  });

  it('gives an identifier one role', async () => {
    const file = await sandbox.file('second.pem', selfSigned('second').cert);
    const error = await refused('add', '2.999.60', '--role', 'auditor', '--certificate', file);
    expect(error).toMatchObject({ code: 'requesterNotAllowed', exitCode: 1 });
    expect(error.message).toContain('operator');
    expect((await run('add', '2.999.60', '--role', 'operator', '--certificate', file)).code).toBe(0);
  });
});

describe('smdpf party list', () => {
  it('warns of a certificate that has ended or ends within 30 days', async () => {
    const ends = new Date(Date.now() + 10 * 86_400_000).toISOString();
    for (const [name, notAfter, said] of [
      ['ended', '20250201000000Z', 'has expired: 2025-02-01'],
      ['ending', ends.replace(/[-:T]|\.\d+/g, ''), `ends within 30 days: ${ends.slice(0, 10)}`],
    ] as const) {
      const certificate = selfSigned(name, notAfter);
      const file = await sandbox.file(`${name}.pem`, certificate.cert);
      const args = ['party', 'add', idOf(name), '--role', 'eum', '--certificate', file];
      expect((await runCli(...args, '--folder', sandbox.folder)).stderr).toContain(said);
      const { stdout } = await runCli('party', 'list', '--folder', sandbox.folder);
      expect(stdout).toMatch(new RegExp(`${certificate.fingerprint} +${said}`));
    }
  });
});

describe('smdpf party revoke', () => {
  it('takes a party out for good, may be repeated, and shows in the list', async () => {
    const certificate = selfSigned('leaver');
    const file = await sandbox.file('leaver.pem', certificate.cert);
    const add = () => run('add', '2.999.62', '--role', 'operator', '--certificate', file);
    await add();
    // as other tools print fingerprints
    const written = certificate.fingerprint.toUpperCase().replace(/..(?=.)/g, '$&:');
    for (let i = 0; i < 2; i++)
      expect((await run('revoke', written)).json()).toEqual({ fingerprint: certificate.fingerprint });
    const revoked = (await parties()).find(({ fingerprint }) => fingerprint === certificate.fingerprint);
    expect(revoked!.revokedAt).toBeGreaterThan(0);
    expect((await add()).json<ErrorDocument>().error).toMatchObject({ code: 'requesterNotAllowed' });
    const { stdout } = await runCli('party', 'list', '--folder', sandbox.folder);
    expect(stdout).toMatch(new RegExp(`${certificate.fingerprint} +revoked 20`));
  });

  it('refuses what is no fingerprint, or that of nobody known', async () => {
    expect(await refused('revoke', 'ab'.repeat(32))).toMatchObject({
      code: 'requesterUnknown',
      exitCode: 1,
    });
    expect(await refused('revoke', '2.999.62')).toMatchObject({ code: 'usage', exitCode: 2 });
  });
});
