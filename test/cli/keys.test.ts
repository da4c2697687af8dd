import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { openSandbox, SANDBOX_SMDPF_OID } from '../../cli/deployment/sandbox.ts';
import { encodePem, publicKeyOfCsr, type SimCi } from '../../sim/index.ts';
import { Folder } from './support/binding-bench.ts';
import { runCli } from './support/cli.ts';

const folder = new Folder();
// a name that only a percent-encoded URI can hold
const deployment = folder.file('site; one');
let ci: SimCi;

beforeAll(async () => {
  const opened = await DeploymentFolder.open(deployment);
  const runtime = await opened.openRuntime();
  ci = (await openSandbox(opened, runtime, 'p256')).ci;
  await runtime.close();
});
afterAll(() => folder.remove());

interface Listed {
  readonly role: string;
  readonly uri: string;
  readonly state: string;
  readonly dataKeys?: number;
  readonly problem?: string;
  readonly certificate?: { readonly sha256: string; readonly daysLeft: number };
}

async function keys(command: string, ...args: string[]) {
  const { code: exitCode, stdout } = await runCli('keys', command, '--folder', deployment, ...args, '--json');
  return { exitCode, document: JSON.parse(stdout) as Record<string, unknown> };
}

/** Where the file of a key is: its URI leads from the folder, wherever that is. */
const fileOf = (uri: string) => join(deployment, decodeURIComponent(uri.slice('softkey:path='.length)));

async function list(role: string): Promise<Listed[]> {
  const { document } = await keys('list');
  return (document.keys as Listed[]).filter((one) => one.role === role);
}

const REQUEST = ['--organization', 'Example', '--name', 'SM-DPf', '--smdp-oid', SANDBOX_SMDPF_OID, '--out'];

/** A new binding key with a certificate of the CI in a file. */
async function newBindingKey(name: string, days = 3650): Promise<{ key: string; certificate: string }> {
  const request = folder.file(`${name}.csr`);
  const { document } = await keys('rotate', '--role', 'binding', ...REQUEST, request);
  const base64 = readFileSync(request, 'utf8').replace(/-----[^-]+-----|\s/g, '');
  const publicKey = publicKeyOfCsr(Buffer.from(base64, 'base64'));
  const certificate = ci.issueDpPb(publicKey, {
    oid: SANDBOX_SMDPF_OID,
    notAfter: new Date(Date.now() + days * 86_400_000),
  });
  return {
    key: String(document.key),
    certificate: folder.write(`${name}.pem`, encodePem('CERTIFICATE', certificate)),
  };
}

describe('smdpf keys', () => {
  it('takes a binding key from its making to its end, beside the one before', async () => {
    const [old] = await list('binding');
    await expect(keys('retire', '--certificate', old!.certificate!.sha256)).resolves.toMatchObject({
      exitCode: 2,
    });
    const { key, certificate } = await newBindingKey('second');
    const waiting = (await list('binding')).filter(({ state }) => state === 'waiting');
    expect(waiting, 'it waits for its certificate').toMatchObject([{ uri: key, since: expect.any(String) }]);
    expect(await keys('install', '--key', key, '--certificate', certificate)).toMatchObject({ exitCode: 0 });
    expect(
      (await list('binding')).map(({ state }) => state),
      'and waits no more',
    ).toEqual(['active', 'active']);
    expect((await keys('retire', '--certificate', old!.certificate!.sha256)).exitCode).toBe(0);
    const after = await list('binding');
    expect(after.find(({ uri }) => uri === old!.uri)?.state).toBe('retired');
    expect(after.find(({ uri }) => uri === key)).toMatchObject({ state: 'active' });
    expect(after.every(({ problem }) => problem === undefined)).toBe(true);
  });

  it('shows what was made and is not in use: of every role, by a request, and after a making that was cut off', async () => {
    for (const role of ['binding', 'delivery', 'wrapping', 'intake']) {
      const { document } = await keys('generate', '--role', role);
      const entry = (await list(role)).find(({ uri }) => uri === document.uri);
      expect(entry, role).toMatchObject({ state: 'waiting', since: expect.any(String) });
      expect(entry).not.toHaveProperty('problem');
    }
    const [waiting] = (await list('delivery')).filter(({ state }) => state === 'waiting');
    renameSync(fileOf(waiting!.uri), `${fileOf(waiting!.uri)}-cut-off`);
    expect((await list('delivery')).find(({ uri }) => uri === waiting!.uri)).toHaveProperty('problem');
    expect((await keys('health')).exitCode, 'nothing leans on it').toBe(0);
    expect((await keys('retire', '--key', waiting!.uri)).exitCode).toBe(0);
    expect((await list('delivery')).map(({ uri }) => uri)).not.toContain(waiting!.uri);
    const shown = await runCli('keys', 'list', '--folder', deployment);
    expect(shown.stdout).toMatch(/binding +waiting .* awaits one/);
    for (const role of ['binding', 'wrapping', 'intake'])
      for (const { uri, state } of await list(role))
        if (state === 'waiting') await keys('retire', '--key', uri);
  });

  it('makes no key where its request has nowhere to go', async () => {
    const before = readdirSync(join(deployment, 'keys'));
    const taken = folder.write('taken.csr', 'of a person');
    for (const out of [taken, join(taken, 'below-a-file.csr')]) {
      const { exitCode, document } = await keys('rotate', '--role', 'binding', ...REQUEST, out);
      expect(exitCode).toBe(2);
      expect(document.error).toMatchObject({ message: expect.stringContaining('--out') });
    }
    expect(readdirSync(join(deployment, 'keys'))).toEqual(before);
    expect(readFileSync(taken, 'utf8')).toBe('of a person');
  });

  it('refuses a certificate of another key', async () => {
    const [one, other] = [await newBindingKey('third'), await newBindingKey('fourth')];
    const { exitCode, document } = await keys(
      'install',
      '--key',
      one.key,
      '--certificate',
      other.certificate,
    );
    expect(exitCode).toBe(1);
    expect(document.error).toMatchObject({ code: 'dpCertificateInvalid' });
  });

  it('warns of a certificate that ends soon', async () => {
    const { key, certificate } = await newBindingKey('short', 10);
    await keys('install', '--key', key, '--certificate', certificate);
    const { document } = await keys('list');
    expect(document.warnings).toEqual([expect.stringContaining('in 9 days')]);
  });

  it('replaces the wrapping key, and retires the old one once nothing is under it', async () => {
    const [old] = await list('wrapping');
    const { document } = await keys('rotate', '--role', 'wrapping');
    expect(document).toMatchObject({ moved: 0, waiting: 0 });
    expect((await list('wrapping')).map(({ state }) => state)).toEqual(['active', 'former']);
    expect((await keys('retire', '--key', String(document.key))).exitCode).toBe(2);
    expect((await keys('retire', '--key', old!.uri)).exitCode).toBe(0);
    expect((await list('wrapping')).map(({ state }) => state)).toEqual(['active', 'retired']);
  });

  it('replaces the delivery key', async () => {
    const { document } = await keys('rotate', '--role', 'delivery');
    const [active, former] = await list('delivery');
    expect(active).toMatchObject({ uri: document.key, state: 'active' });
    expect(former).toMatchObject({ state: 'former' });
    // it is needed for nothing but to verify what it signed: it may be gone, and one that is not trusted is retired
    const path = fileOf(former!.uri);
    renameSync(path, `${path}-gone`);
    expect((await keys('health')).exitCode).toBe(0);
    expect((await keys('retire', '--key', former!.uri)).exitCode).toBe(0);
    expect((await list('delivery')).map(({ state }) => state)).toEqual(['active', 'retired']);
    expect((await keys('retire', '--key', String(document.key))).exitCode).toBe(2);
  });

  it('replaces the intake key, and retires the old one once no order needs it', async () => {
    const [old] = await list('intake');
    const { document } = await keys('rotate', '--role', 'intake');
    expect((await list('intake')).map(({ state }) => state)).toEqual(['active', 'former']);
    expect((await keys('retire', '--key', String(document.key))).exitCode).toBe(2);
    expect((await keys('retire', '--key', old!.uri)).exitCode).toBe(0);
    const states = (await list('intake')).map(({ uri, state }) => [uri, state]);
    expect(states).toEqual([
      [document.key, 'active'],
      [old!.uri, 'retired'],
    ]);
  });

  it('health fails when a key in use is not there', async () => {
    const well = await runCli('keys', 'health', '--folder', deployment);
    expect(well).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^healthy: all \d+ keys in use can be used$/m),
    });
    const [active] = (await list('delivery')).filter(({ state }) => state === 'active');
    const path = fileOf(active!.uri);
    renameSync(path, `${path}-away`);
    const { exitCode, document } = await keys('health');
    renameSync(`${path}-away`, path);
    expect(exitCode).toBe(1);
    expect(document.healthy).toBe(false);
  });

  it('a folder that is no deployment is not made one', async () => {
    const { code: exitCode } = await runCli('keys', 'list', '--folder', folder.file('nothing'), '--json');
    expect(exitCode).toBe(2);
  });
});
