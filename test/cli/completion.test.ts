import { expect, it } from 'vitest';
import { processIo } from '../../cli/output/process-io.ts';
import { table } from '../../cli/output/table.ts';
import { runCli } from './support/cli.ts';

const complete = async (...words: readonly string[]) =>
  (await runCli('complete', '--', ...words)).stdout.split('\n').filter((line) => line !== '');

it('smdpf complete gives commands, their parts, options, and the choices of an option', async () => {
  expect(await complete('st')).toEqual(['statement', 'station', 'status', 'stop']);
  expect(await complete('station', '')).toEqual(['estimate', 'load', 'merge', 'split']);
  expect(await complete('station', 'load', '--re')).toEqual([
    '--readers',
    '--report',
    '--report-id',
    '--retries',
  ]);
  expect(await complete('serve', '--sandbox', 'p')).toEqual(['p256']);
  expect(await complete('fly', '')).toEqual([]);
});

it.each(['bash', 'zsh', 'fish', 'powershell'])('smdpf completion %s asks smdpf complete', async (shell) => {
  const { code, stdout } = await runCli('completion', shell);
  expect(code).toBe(0);
  expect(stdout).toContain('smdpf complete -- ');
});

it('complete is for scripts, and no line of the help', async () => {
  const { stdout } = await runCli('--help');
  expect(stdout).toMatch(/^ {2}completion /m);
  expect(stdout).not.toMatch(/^ {2}complete /m);
});

it('an error is coloured on a terminal, and not where NO_COLOR is set', () => {
  const said = (env: Record<string, string>, isTTY: boolean) => {
    let text = '';
    const stderr = { isTTY, write: (more: string) => (text += more) };
    processIo({ argv: [], env, stdout: { write: () => {} }, stderr }).warn('look');
    return text;
  };
  expect(said({}, true)).toBe('\x1b[33mwarning:\x1b[0m look\n');
  expect(said({ NO_COLOR: '1' }, true)).toBe('warning: look\n');
  expect(said({}, false)).toBe('warning: look\n');
});

it('a table fits the terminal, what is widest goes on in the next line, and nothing is cut', () => {
  const value = 'a'.repeat(50);
  const wide = table(['id', 'what'], [['1', value]], 30);
  expect(Math.max(...wide.split('\n').map((line) => line.length))).toBeLessThanOrEqual(30);
  expect(wide.match(/a(?=a| *$)/gm)).toHaveLength(50);
  expect(table(['id', 'what'], [['1', value]], Number.POSITIVE_INFINITY)).toContain(value);
});
