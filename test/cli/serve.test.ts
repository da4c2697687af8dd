import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CliResult, type ErrorDocument, runCli } from './support/cli.ts';

const folder = join(mkdtempSync(join(tmpdir(), 'serve-')), 'op');
let first: CliResult;
afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

/** Serves until it is ready, and has it end from outside. */
async function served(...options: readonly string[]): Promise<CliResult> {
  const serving = runCli(
    'serve',
    '--folder',
    folder,
    '--port',
    '0',
    '--field-port',
    '0',
    ...options,
    '--json',
  );
  let ended = false;
  void serving.then(() => (ended = true));
  while (!existsSync(join(folder, 'config.json'))) await new Promise((resolve) => setTimeout(resolve, 20));
  while (!ended) await runCli('stop', '--folder', folder, '--timeout', '1');
  return serving;
}

beforeAll(async () => {
  first = await served('--address', 'smdpf.example.org');
});

it('smdpf stop ends a server, whatever has started it', () => {
  expect(first.code).toBe(0);
  expect(existsSync(join(folder, 'stop-request'))).toBe(false);
});

it('smdpf stop says so where no server runs', async () => {
  const { code, json } = await runCli('stop', '--folder', folder, '--timeout', '1', '--json');
  expect(code).toBe(2);
  expect(json<ErrorDocument>().error.message).toContain('no server of');
  expect(existsSync(join(folder, 'stop-request'))).toBe(false);
});

it('options that count on first use only are told of where they are ignored', async () => {
  writeFileSync(join(folder, 'stop-request'), '');
  const { json, code } = await served('--address', 'other.example.org', '--host', '127.0.0.1');
  expect(code).toBe(0);
  const { warnings } = json<{ warnings: string[] }>();
  expect(warnings.filter((one) => one.includes('ignored'))).toEqual([
    `--address counts on first use only, and is ignored: this deployment has smdpf.example.org (runtime.address in ${folder}/config.json)`,
  ]);
  expect(readFileSync(join(folder, 'config.json'), 'utf8')).toContain('smdpf.example.org');
});

it('--keys takes a whole token and nothing else', async () => {
  const { code, json } = await runCli(
    'serve',
    '--folder',
    `${folder}-new`,
    '--keys',
    'softkey:path=a',
    '--json',
  );
  expect(code).toBe(2);
  expect(json<ErrorDocument>().error.message).toContain('a PKCS#11 token as a whole');
  expect(existsSync(`${folder}-new`)).toBe(false);
});
