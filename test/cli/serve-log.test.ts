import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runCli } from './support/cli.ts';

const folder = join(mkdtempSync(join(tmpdir(), 'serve-log-')), 'op');
afterAll(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

it('what a server writes on stdout is its log alone, one JSON line for each event; the banner is for people', async () => {
  const serving = runCli('serve', '--folder', folder, '--port', '0', '--field-port', '0');
  let ended = false;
  void serving.then(() => (ended = true));
  while (!existsSync(join(folder, 'config.json'))) await new Promise((resolve) => setTimeout(resolve, 20));
  while (!ended) await runCli('stop', '--folder', folder, '--timeout', '1');
  const { code, stdout, stderr } = await serving;
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const event of events)
    expect(event).toMatchObject({ at: expect.stringMatching(/Z$/), level: expect.any(String) });
  expect(events.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['server.started', 'server.stopped']),
  );
  expect(stderr).toContain('/metrics and /health/ready');
  expect(stderr).toContain('stop with');
});
