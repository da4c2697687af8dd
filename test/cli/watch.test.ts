import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { SandboxFolder } from './support/sandbox-folder.ts';

const SMDPF = fileURLToPath(new URL('../../cli/smdpf.mjs', import.meta.url));

it('a command that looks again and again ends when its reader has gone', async () => {
  const sandbox = await SandboxFolder.create();
  const watch = ['orders', '--folder', sandbox.folder, '--watch', '0.05', '--json'];
  const child = spawn(process.execPath, [SMDPF, ...watch], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  expect(JSON.parse(first.toString('utf8').split('\n')[0]!)).toMatchObject({ orders: [] });
  child.stdout.destroy();
  expect(await ended).toEqual([0, null]);
  expect(said).toBe('');
  await sandbox.remove();
});
