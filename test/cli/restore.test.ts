import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { Folder } from './support/binding-bench.ts';
import { type ErrorDocument, runCli } from './support/cli.ts';

const folder = new Folder();
const deployment = folder.file('op');
const backup = folder.file('backup');

beforeAll(async () => {
  await (await (await DeploymentFolder.open(deployment)).openRuntime()).close();
});
afterAll(() => folder.remove());

const cli = (...args: string[]) => runCli(...args, '--folder', deployment, '--json');
const addParty = (name: string) => cli('party', 'add', name, '--role', 'operator', '--issue');

it('smdpf backup has configuration, ledger and vault, beside a running server, and never PPKs nor keys', async () => {
  expect((await addParty('2.999.60')).code).toBe(0);
  expect((await cli('audit', 'archive')).code).toBe(0);
  for (let time = 0; time < 2; time++) {
    const made = await cli('backup', '--out', backup);
    expect(made.code).toBe(0);
    expect(JSON.parse(readFileSync(join(backup, 'backup.json'), 'utf8'))).toMatchObject({
      ledger: made.json<{ ledger: string }>().ledger,
    });
  }
  expect(existsSync(join(backup, 'vault', 'objects', 'audit'))).toBe(true);
  for (const name of ['ppks', 'keys']) expect(existsSync(join(backup, name))).toBe(false);
  expect(readFileSync(join(backup, 'config.json'), 'utf8')).not.toContain('transferSecret');
  const inside = await cli('backup', '--out', join(deployment, 'vault', 'copy'));
  expect(inside.json<ErrorDocument>().error.code).toBe('usage');
});

it('a backup put back is frozen; smdpf restore plan changes nothing; smdpf restore run takes up what the vault knows, and thaws it', {
  tags: ['I9'],
}, async () => {
  await addParty('2.999.61');
  await cli('audit', 'archive');
  const nothing = await cli('restore', 'put', '--from', folder.file('none'));
  expect(nothing.json<ErrorDocument>().error.code).toBe('usage');
  expect((await cli('restore', 'put', '--from', backup)).code).toBe(0);

  for (let look = 0; look < 2; look++)
    expect((await cli('restore', 'plan')).json()).toMatchObject({
      frozen: 'put back from a backup, and not reconciled',
      commits: 0,
    });
  expect((await addParty('2.999.62')).json<ErrorDocument>().error).toMatchObject({
    code: 'ledgerFrozen',
    subjectCode: '1.2',
    reasonCode: '5.1',
  });
  expect((await cli('party', 'list')).code).toBe(0);

  const ran = await cli('restore', 'run');
  expect(ran.json()).toMatchObject({ commits: 0, toRepeat: [{ event: 'party.added' }], twice: [] });
  expect((await cli('restore', 'plan')).json()).toMatchObject({ frozen: null });
  expect((await addParty('2.999.61')).code).toBe(0);
  expect((await cli('audit', 'verify')).json()).toMatchObject({ holds: true });
  // there is nothing to restore now, and nothing is done
  expect((await cli('restore', 'run')).json<ErrorDocument>().error.code).toBe('configuration');
});

it('a backup copied over the ledger by hand is found out by its anchor', async () => {
  await cli('backup', '--out', backup);
  const opened = await DeploymentFolder.open(deployment);
  const { ledger } = opened.runtimeConfig();
  const file = ledger.slice('sqlite:'.length);
  for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true });
  copyFileSync(join(backup, 'ledger.sqlite'), file);
  expect((await cli('restore', 'plan')).json<{ frozen: string }>().frozen).toMatch(
    /older than the PPK vault/,
  );
});
