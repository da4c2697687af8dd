import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeploymentFolder } from '../../../cli/deployment/folder.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { STORE_NAMES } from '../../../shared/service/restore/identity.ts';
import { Request } from '../../service/scenario.ts';
import { DEVICE_MAKER, OPERATOR } from '../../support/deployment.ts';
import { type ErrorDocument, runCli } from '../support/cli.ts';
import { SANDBOX_EUM_CALLER, SandboxFolder } from '../support/sandbox-folder.ts';

let sandbox: SandboxFolder;
let backup: string;
const asked: { readonly request: Request; readonly answer: Uint8Array }[] = [];

const ask = async (runtime: Runtime, request: Request) => {
  const { bppBatch } = await request.send(runtime);
  expect(bppBatch).toBeDefined();
  asked.push({ request, answer: bppBatch! });
};
const open = async (folder: string) =>
  await (await DeploymentFolder.open(folder)).openRuntime({ lanes: 'inline' });
/** A folder as it lies there, with the server stopped. */
const copied = (name: string) => {
  const path = sandbox.path(name);
  cpSync(sandbox.folder, path, { recursive: true });
  return path;
};

async function expectOldAnswers(folder: string, requests = asked): Promise<void> {
  const runtime = await open(folder);
  for (const { request, answer } of requests)
    expect(Buffer.from((await request.send(runtime)).bppBatch!).equals(answer)).toBe(true);
  await runtime.close();
}

beforeAll(async () => {
  sandbox = await SandboxFolder.create();
  backup = sandbox.path('backup');
  await sandbox.withRuntime(async (runtime) => {
    await runtime.services.orders.prepareProfiles(OPERATOR, {
      orderId: 'ORD',
      profileType: 'test',
      quantity: 6,
      requesterDms: [DEVICE_MAKER.identifier],
      template: ownTemplate(),
      personalisation: { iccidStart: '890000000000000000', keys: 'template' },
      eligibility: {},
      metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' },
    });
    const euiccs = [...sandbox.eum.production(3, 1)];
    await runtime.services.ingest.registerEuiccData(
      SANDBOX_EUM_CALLER,
      sandbox.eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] }),
    );
    await ask(runtime, new Request('ORD', [{ eid: euiccs[0]!.eid }, { eid: euiccs[1]!.eid }]));
  });
  expect((await sandbox.run('backup', '--out', backup)).code).toBe(0);
  await sandbox.withRuntime((runtime) => runtime.audit.chain());
});
afterAll(() => sandbox.remove());

describe('a deployment folder (I12)', { tags: ['I12'] }, () => {
  it('names no path from outside, and holds nothing that others may read', () => {
    const config = readFileSync(join(sandbox.folder, 'config.json'), 'utf8');
    expect(config).not.toContain(sandbox.root);
    const entries = readdirSync(sandbox.folder, { recursive: true, withFileTypes: true });
    const open = entries
      .filter(({ parentPath }) => !parentPath.includes('sandbox'))
      .filter((entry) => (statSync(join(entry.parentPath, entry.name)).mode & 0o077) !== 0)
      .map(({ name }) => name);
    expect(open.filter((name) => name !== 'sandbox')).toEqual([]);
    expect(statSync(sandbox.folder).mode & 0o777).toBe(0o700);
  });

  it('has its databases, of the ledger and of the vault, closed to others by the next start', async () => {
    const files = ['ledger.sqlite', 'vault/small-objects.sqlite'].map((name) => join(sandbox.folder, name));
    for (const file of files) chmodSync(file, 0o644);
    await sandbox.withRuntime(async () => undefined);
    expect(files.map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  it('that was moved gives its old answers', async () => {
    const moved = sandbox.path('moved');
    renameSync(copied('to-move'), moved);
    await expectOldAnswers(moved);
    rmSync(moved, { recursive: true });
  });

  it('that was copied is erased, and the original stays whole', async () => {
    const path = copied('copy');
    const { deployment } = (await DeploymentFolder.open(path)).config.runtime;
    const plan = await runCli('erase', 'plan', '--folder', path, '--json');
    const { paths } = plan.json<{ paths: string[] }>();
    expect(paths.length).toBeGreaterThan(5);
    for (const one of paths) expect(one.startsWith(`${path}/`)).toBe(true);
    const statement = sandbox.path('statement.json');
    const ran = await runCli(
      ...['erase', 'run', '--folder', path, '--confirm', deployment, '--statement', statement, '--json'],
    );
    expect(ran.code).toBe(0);
    expect(existsSync(join(path, 'ledger.sqlite'))).toBe(false);
    expect(existsSync(join(path, 'keys', 'wrapping.key'))).toBe(false);
    await expectOldAnswers(sandbox.folder);
  });

  it('whose configuration names a store elsewhere is erased only where that is named too', async () => {
    const path = copied('strays');
    const outside = sandbox.path('elsewhere');
    renameSync(join(path, 'ppks'), outside);
    const file = join(path, 'config.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('file:ppks', `file:${outside}`));
    const { deployment } = (await DeploymentFolder.open(path)).config.runtime;
    const run = (...more: string[]) =>
      runCli(
        ...['erase', 'run', '--folder', path, '--confirm', deployment],
        ...['--statement', sandbox.path('strays.json'), '--json', ...more],
      );
    const { error } = (await run()).json<ErrorDocument>();
    expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining(outside) });
    expect(existsSync(join(outside, 'packs'))).toBe(true);
    expect((await run('--outside', outside)).code).toBe(0);
  });

  it('whose configuration is lost is not made anew, and gets it back from its stores', async () => {
    const path = copied('lost');
    rmSync(join(path, 'config.json'));
    for (const command of [['party', 'list'], ['backup', '--out', sandbox.path('none')], ['serve']]) {
      const { error } = (await runCli(...command, '--folder', path, '--json')).json<ErrorDocument>();
      expect([command, error]).toEqual([
        command,
        expect.objectContaining({
          code: 'usage',
          message: expect.stringContaining('config.json is missing'),
          hint: expect.stringContaining(`smdpf restore config --folder ${path}`),
        }),
      ]);
    }
    const made = await runCli('restore', 'config', '--folder', path, '--json');
    expect([made.code, made.json()]).toMatchObject([0, { from: 'ledger', address: 'smdpf.example.com' }]);
    await expectOldAnswers(path);
    // one that is there is never replaced
    const again = await runCli('restore', 'config', '--folder', path, '--json');
    expect(again.json<ErrorDocument>().error.code).toBe('usage');
  });

  it('that is put back from a backup into a new folder is the same deployment, with its old answers', async () => {
    const path = sandbox.path('new');
    // what comes after the backup is in the vault, and in its answers
    await sandbox.withRuntime(async (runtime) => {
      const euiccs = [...sandbox.eum.production(1, 1)];
      const batch = sandbox.eum.euiccDataBatch(euiccs, { deviceManufacturers: [DEVICE_MAKER.identifier] });
      await runtime.services.ingest.registerEuiccData(SANDBOX_EUM_CALLER, batch);
    });
    expect(readdirSync(backup).sort()).toEqual(['backup.json', 'config.json', 'ledger.sqlite', 'vault']);
    expect(readFileSync(join(backup, 'config.json'), 'utf8')).not.toContain('transferSecret');
    expect((await runCli('restore', 'put', '--folder', path, '--from', backup, '--json')).code).toBe(0);
    cpSync(join(sandbox.folder, 'keys'), join(path, 'keys'), { recursive: true });
    await expect(open(path)).rejects.toThrow(/PPK vault of deployment .* is missing/);
    const ran = await runCli('restore', 'run', '--folder', path, '--json');
    expect(ran.json()).toMatchObject({ problems: [], twice: [] });
    const [before, after] = await Promise.all(
      [sandbox.folder, path].map((one) => DeploymentFolder.open(one)),
    );
    expect(after!.config.runtime.deployment).toBe(before!.config.runtime.deployment);
    expect(after!.config.runtime.transferSecret).not.toBe(before!.config.runtime.transferSecret);
    await expectOldAnswers(path);
  });

  it('is not put back among things of somebody else, which stay as they are', async () => {
    const path = sandbox.path('elses');
    mkdirSync(path, { mode: 0o755 });
    writeFileSync(join(path, 'letter.txt'), 'mine');
    const put = await runCli('restore', 'put', '--folder', path, '--from', backup, '--json');
    expect(put.json<ErrorDocument>().error).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('is not empty'),
    });
    expect(readdirSync(path)).toEqual(['letter.txt']);
    expect(statSync(path).mode & 0o777).toBe(0o755);
  });

  it('takes no backup of another deployment, and gives none its place', async () => {
    const other = sandbox.path('other');
    await (await DeploymentFolder.open(other)).openRuntime().then((runtime) => runtime.close());
    const put = await runCli('restore', 'put', '--folder', other, '--from', backup, '--json');
    expect(put.json<ErrorDocument>().error).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('is of deployment'),
    });
    const made = await runCli('backup', '--folder', other, '--out', backup, '--json');
    expect(made.json<ErrorDocument>().error).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('has a backup of deployment'),
    });
  });

  it.each(STORE_NAMES)('whose %s is of another folder starts for no command', async (store) => {
    const path = copied(`swapped-${store}`);
    const name = { ledger: 'ledger.sqlite', vault: 'vault', ppks: 'ppks' }[store];
    rmSync(join(path, name), { recursive: true });
    cpSync(join(sandbox.path('other'), name), join(path, name), { recursive: true });
    for (const command of [
      ['party', 'list'],
      ['keys', 'list'],
      ['restore', 'plan'],
      ['erase', 'plan'],
    ]) {
      const { error } = (await runCli(...command, '--folder', path, '--json')).json<ErrorDocument>();
      expect([command, error]).toEqual([
        command,
        expect.objectContaining({ code: 'configuration', message: expect.stringContaining('belongs to') }),
      ]);
    }
  });
});
