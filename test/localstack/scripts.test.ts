import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-scripts-'));
for (const tool of ['sh', 'dirname', 'env', 'bash'])
  symlinkSync(
    spawnSync('sh', ['-c', `command -v ${tool}`])
      .stdout.toString()
      .trim(),
    join(folder, tool),
  );

/** A script with nothing on its PATH but a shell, and what is in `env`. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(join(folder, 'sh'), args, { env: { PATH: folder, ...env } });
  return { status, out: stdout.toString(), err: stderr.toString() };
}

it('localstack:up names what is missing before Docker speaks: Docker, its compose plugin, the token', () => {
  const up = (env = {}) => run(['localstack/up.sh'], env);
  expect(up()).toMatchObject({ status: 1, err: expect.stringContaining('Docker, which is not here') });
  const docker = (text: string) =>
    writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  docker('exit 1');
  expect(up()).toMatchObject({ status: 1, err: expect.stringContaining('has no compose plugin') });
  docker('echo "$@"');
  expect(up()).toMatchObject({ status: 1, err: expect.stringContaining('LOCALSTACK_AUTH_TOKEN') });
  expect(up({ LOCALSTACK_AUTH_TOKEN: 'x' })).toMatchObject({
    status: 0,
    out: expect.stringContaining('compose --file compose.yaml up'),
  });
});

it('what runs against the emulator has a key of its own, so that no cache of CDK takes an account for another', () => {
  const others = { AWS_PROFILE: 'mine', AWS_ACCESS_KEY_ID: 'AKIA', AWS_SESSION_TOKEN: 'mine' };
  const { out } = run(['localstack/with-emulator.sh', 'env'], others);
  expect(out).toContain('AWS_ACCESS_KEY_ID=SMDPFEMULATOR\n');
  expect(out).not.toContain('mine');
});

it('an emulator that CI starts listens on loopback alone, since it runs whatever it is sent', () => {
  const scripts = readdirSync('.ci', { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => readFileSync(join('.ci', name), 'utf8'));
  const starts = scripts.flatMap((text) => text.match(/^.*bin\/ministack".*$/gm) ?? []);
  expect(starts.length).toBeGreaterThan(1);
  for (const line of starts) expect(line).toMatch(/^\s*BIND_HOST=127\.0\.0\.1 /);
  expect(readFileSync('.ci/moto/serve.py', 'utf8')).toMatch(/run_simple\(\s*"127\.0\.0\.1"/);
  expect(readFileSync('localstack/compose.yaml', 'utf8')).toContain('- "127.0.0.1:4566:4566"');
});
