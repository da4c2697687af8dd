import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LONG } from '../support/effort.ts';

const SMDPF = fileURLToPath(new URL('../../cli/smdpf.mjs', import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smdpf-docs-'));
  mkdirSync(join(folder, 'bin'));
  // what npx would find in the folder of the project
  const npx = `#!/bin/sh\nshift\nexec '${process.execPath}' '${SMDPF}' "$@"\n`;
  writeFileSync(join(folder, 'bin', 'npx'), npx);
  chmodSync(join(folder, 'bin', 'npx'), 0o755);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first sh block below a heading of a document. */
function commandsOf(document: string, heading: string): string {
  const text = readFileSync(new URL(`../../docs/${document}`, import.meta.url), 'utf8');
  const [, section] = text.split(`\n## ${heading}\n`);
  const [, commands] = /```sh\n([\s\S]*?)```/.exec(section ?? '') ?? [];
  if (commands === undefined) throw new Error(`${document} has no commands under ${heading}`);
  return commands;
}

/** Runs commands in an empty folder until one fails; gives what they said. What they leave running ends with them. */
async function run(name: string, commands: string, again = false): Promise<string> {
  const cwd = join(folder, name);
  if (!again) mkdirSync(cwd);
  const shell = spawn('sh', ['-ec', commands], {
    cwd,
    detached: true,
    env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [shell.stdout, shell.stderr])
    stream.on('data', (octets: Buffer) => {
      said += octets.toString();
    });
  const status = await new Promise<number | null>((resolve) => shell.once('exit', resolve));
  try {
    process.kill(-shell.pid!, 'SIGTERM');
  } catch {
    // nothing was left
  }
  expect(status, said).toBe(0);
  return said;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it('docs/profiles.md: a template is tried', async () => {
  const said = await run('profiles', commandsOf('profiles.md', 'Template'));
  expect(said).toContain('nothing is wrong');
  expect(said).toMatch(/changed +usim +1 +5 +ef-imsi, ef-acc/);
}, 120_000);

const onFreePorts = async (commands: string) =>
  commands
    .replaceAll('--sandbox p256', '--sandbox p256 --port 8443 --field-port 8444')
    .replaceAll('8443', String(await freePort()))
    .replaceAll('8444', String(await freePort()));

it.runIf(LONG)(
  'docs/factory.md: test profiles are ordered, loaded at two stations and reported as one, and once more',
  async () => {
    const commands = commandsOf('factory.md', 'Try it against a server of your own');
    for (const again of [false, true]) {
      const said = await run('factory', await onFreePorts(commands), again);
      expect(said).toMatch(/signed by an eUICC +3/);
      expect(said).toMatch(/conflicts +0/);
      expect(said).toMatch(/Installed\W+3/);
      expect(said).toMatch(/the server of .*served ends/);
    }
  },
  300_000,
);

// forty processes; what else is in the documents is looked at in command-lines.test.ts
it.runIf(LONG)(
  'docs/operators.md: everything is tried, from an empty folder to a device that went back to stock',
  async () => {
    const said = await run('operators', await onFreePorts(commandsOf('operators.md', 'Try all of it')));
    const [, report] = said.split('closed  0');
    expect(report?.match(/ Installed /g)).toHaveLength(3);
    expect(report?.match(/ Deleted /g)).toHaveLength(1);
    expect(said).toContain('signature  holds');
    expect(said).toMatch(/the log holds: \d+ lines/);
  },
  300_000,
);
