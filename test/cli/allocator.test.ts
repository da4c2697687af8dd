import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  ALLOCATOR,
  type Beginning,
  downloadWithLimit,
  SERVER_SETTINGS,
  serveWithAllocator,
  serveWithArenas,
} from '../../cli/allocator.ts';

/** What a process would begin anew with; undefined where it goes on. */
function begun(given: Partial<Beginning>, begin: (beginning: Beginning) => void = serveWithAllocator) {
  let again: { file: string; args: readonly string[]; env: NodeJS.ProcessEnv } | undefined;
  const beginning: Beginning = {
    platform: 'linux',
    execPath: '/usr/bin/node',
    execArgv: ['--inspect'],
    argv: ['/usr/bin/node', '/usr/bin/smdpf', '--json', 'serve', '--port', '8443'],
    env: { HOME: '/home/smdpf' },
    connected: false,
    isExecutable: false,
    execve: ((file: string, args: readonly string[], env: NodeJS.ProcessEnv) => {
      again = { file, args, env };
    }) as typeof process.execve,
    ...given,
  };
  begin(beginning);
  return again;
}

it('a server begins anew with the settings, its options and its environment', () => {
  expect(begun({})).toEqual({
    file: '/usr/bin/node',
    args: ['/usr/bin/node', '--inspect', '/usr/bin/smdpf', '--json', 'serve', '--port', '8443'],
    env: { HOME: '/home/smdpf', ...SERVER_SETTINGS },
  });
});

it('options of Node stay, and go before a setting of ours', () => {
  const ours = SERVER_SETTINGS.NODE_OPTIONS;
  const of = (given: Partial<Beginning>) => begun(given)?.env.NODE_OPTIONS;
  expect(of({ env: { NODE_OPTIONS: '--enable-source-maps' } })).toBe(`--enable-source-maps ${ours}`);
  expect(of({ env: { NODE_OPTIONS: '--max-semi-space-size=32' } })).toBe('--max-semi-space-size=32');
  expect(of({ execArgv: ['--max-semi-space-size=32'] })).toBe('');
});

it('what downloads by the gigabyte begins anew with the limit of a young heap, once', () => {
  const argv = ['/usr/bin/node', '/usr/bin/smdpf', 'pull', '--out', 'serve'];
  const { NODE_OPTIONS } = SERVER_SETTINGS;
  expect(begun({ argv }, downloadWithLimit)).toEqual({
    file: '/usr/bin/node',
    args: ['/usr/bin/node', '--inspect', ...argv.slice(1)],
    env: { HOME: '/home/smdpf', ...SERVER_SETTINGS },
  });
  const theirs = begun({ argv, env: { MALLOC_ARENA_MAX: '8' } }, downloadWithLimit);
  expect(theirs?.env).toEqual({ ...SERVER_SETTINGS, MALLOC_ARENA_MAX: '8' });
  expect(begun({ argv, env: { NODE_OPTIONS } }, downloadWithLimit)).toBeUndefined();
  expect(begun({ argv, execArgv: ['--max-semi-space-size=16'] }, downloadWithLimit)).toBeUndefined();
  expect(begun({}, downloadWithLimit)).toBeUndefined();
  const order = (word: string) =>
    begun({ argv: ['/usr/bin/node', '/usr/bin/smdpf', 'order', word] }, downloadWithLimit);
  expect(order('output')?.env.NODE_OPTIONS).toBe(NODE_OPTIONS);
  expect(order('status')).toBeUndefined();
});

it('an executable begins anew without its path among the arguments', () => {
  // as it was called, whichever way leads to it
  for (const called of ['/opt/smdpf', './smdpf', '/usr/local/bin/smdpf']) {
    const argv = ['/opt/smdpf', called, 'serve', '--port', '8443'];
    const executable = { isExecutable: true, execPath: '/opt/smdpf', execArgv: [], argv };
    const args = ['/opt/smdpf', 'serve', '--port', '8443'];
    expect(begun(executable)?.args).toEqual(args);
    const few = { ...executable, env: { MALLOC_ARENA_MAX: '2' } };
    expect(begun(few, (beginning) => serveWithArenas(2, beginning))?.args).toEqual(args);
  }
});

it.each<readonly [string, Partial<Beginning>]>([
  ['another command', { argv: ['node', 'smdpf', 'stop', '--folder', 'serve'] }],
  ['settings of whoever started it', { env: { MALLOC_ARENA_MAX: '4' } }],
  ['another system', { platform: 'win32' }],
  ['a Node that cannot', { execve: undefined }],
  ['a channel to a parent', { connected: true }],
])('%s: nothing begins anew', (_, given) => {
  expect(begun(given)).toBeUndefined();
});

it('threads that answer have arenas enough', () => {
  const arenas = (threads: number, most?: string, more: Partial<Beginning> = {}) =>
    begun({ env: most === undefined ? {} : { MALLOC_ARENA_MAX: most }, ...more }, (beginning) =>
      serveWithArenas(threads, beginning),
    );
  expect(arenas(2, '2')).toMatchObject({
    args: ['/usr/bin/node', '--inspect', '/usr/bin/smdpf', '--json', 'serve', '--port', '8443'],
    env: { MALLOC_ARENA_MAX: '8' },
  });
  expect([arenas(1, '2'), arenas(2, '8'), arenas(2)]).toEqual([undefined, undefined, undefined]);
});

it.runIf(process.platform === 'linux')('it is the same process, with the same streams', () => {
  const folder = mkdtempSync(join(tmpdir(), 'smdpf-allocator-'));
  try {
    const file = join(folder, 'program.mjs');
    const module = new URL('../../cli/allocator.ts', import.meta.url);
    writeFileSync(
      file,
      `import { serveWithAllocator } from '${module}';
       console.log(process.pid, process.env.MALLOC_ARENA_MAX, ...process.argv.slice(2));
       serveWithAllocator();`,
    );
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !(name in ALLOCATOR)));
    const { pid, stdout, stderr } = spawnSync(process.execPath, [file, 'serve', 'x y'], {
      env,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(`${pid} undefined serve x y\n${pid} ${ALLOCATOR.MALLOC_ARENA_MAX} serve x y\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
