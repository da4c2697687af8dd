import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { type ErrorDocument, runCli, spawnCli } from './support/cli.ts';

/** A Node of this machine that cannot parse TypeScript. */
const olderNode = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((path) => existsSync(path) && major(execFileSync(path, ['--version'], { encoding: 'utf8' })) < 24);

function major(version: string): number {
  return Number.parseInt(version.slice(1), 10);
}

describe('the smdpf launcher', () => {
  it('is what npx and the npm scripts start', () => {
    expect(manifest.bin.smdpf).toBe('cli/smdpf.mjs');
    for (const script of ['smdpf', 'demo', 'serve'] as const)
      expect(manifest.scripts[script]).toMatch(/^node cli\/smdpf\.mjs/);
    expect(readFileSync(new URL('../../cli/smdpf.mjs', import.meta.url), 'utf8')).toMatch(
      /^#!\/usr\/bin\/env node\n/,
    );
  });

  it('starts the command', async () => {
    expect(await spawnCli(['--version'])).toMatchObject({
      code: 0,
      stdout: `${manifest.version}\n`,
      stderr: '',
    });
  });

  it.skipIf(olderNode === undefined)(
    `hands over to the Node of the project, exit code and all${olderNode === undefined ? ' (skipped: no Node below 24 on the PATH)' : ''}`,
    async () => {
      const version = await spawnCli(['--version'], { node: olderNode! });
      expect(version).toMatchObject({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
      const refused = await spawnCli(['inspect', 'nowhere', '--json'], { node: olderNode! });
      expect(refused.code).toBe(2);
      expect(refused.json<ErrorDocument>().error.code).toBe('usage');
    },
  );
});

describe('the command line', () => {
  it('lists its commands and exit codes', async () => {
    const { code, stdout } = await runCli('--help');
    expect(code).toBe(0);
    for (const word of ['bind', 'inspect', 'verify-pir', 'sim', '--json', 'Exit codes:'])
      expect(stdout).toContain(word);
  });

  it.each([
    ['no command', []],
    ['an unknown command', ['fly']],
    ['an unknown option', ['inspect', 'file', '--fast']],
    ['a group without its command', ['sim', 'ci']],
  ])('answers %s with exit code 2 and the way out', async (_, args) => {
    const result = await runCli(...args, '--json');
    expect(result.code).toBe(2);
    const { error } = result.json<ErrorDocument>();
    expect(error).toMatchObject({ code: 'usage', exitCode: 2 });
    expect(error.hint).toContain('--help');
    expect(error.message).not.toBe('');
  });
});
