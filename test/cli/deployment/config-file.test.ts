import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smdpf-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a config.json that holds no configuration is told of by what is wrong with it', () => {
  it.each([
    ['{}', 'the member `runtime` is missing'],
    ['{"runtime":{}}', 'the member `runtime.'],
    ['[]', 'config.json'],
    ['null', 'config.json'],
    ['', 'is not JSON'],
  ])('%j', async (json, says) => {
    writeFileSync(join(folder, 'config.json'), json);
    const { code, stderr } = await runCli('keys', 'list', '--folder', folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: configuration: /);
    expect(stderr).toContain(says);
  });
});
