import { mkdtempSync, type NoParamCallback, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { OpenFiles } from '../../shared/vault/file/open-files.ts';

const flushes = vi.hoisted(() => ({ begun: 0 }));
vi.mock('node:fs', async (importOriginal) => {
  const own = await importOriginal<typeof import('node:fs')>();
  const fdatasync = (fd: number, done: NoParamCallback) => {
    flushes.begun += 1;
    own.fdatasync(fd, done);
  };
  return { ...own, fdatasync };
});

const folder = mkdtempSync(join(tmpdir(), 'smdpf-open-files-'));
const path = join(folder, 'slots');
const files = new OpenFiles('r+');
beforeEach(() => {
  writeFileSync(path, new Uint8Array(64));
  flushes.begun = 0;
});
afterAll(() => {
  files.close();
  rmSync(folder, { recursive: true, force: true });
});

async function writeAndSync(at: number): Promise<void> {
  const file = files.find(path)!;
  file.write(at, Uint8Array.of(at));
  await file.sync();
}

it('those whom one event lets go on share a flush, however many steps each takes to its write', async () => {
  const gate = Promise.withResolvers<void>();
  const all = Array.from({ length: 8 }, async (_, n) => {
    await gate.promise;
    for (let step = 0; step < n; step++) await null;
    await writeAndSync(n + 1);
  });
  gate.resolve();
  await Promise.all(all);
  expect(flushes.begun).toBe(1);
  expect([...readFileSync(path).subarray(1, 9)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

it('what is written while a flush is under way has one of its own, shared by all who wait for it', async () => {
  const first = writeAndSync(1);
  while (flushes.begun === 0) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([writeAndSync(2), writeAndSync(3), first]);
  expect(flushes.begun).toBe(2);
});
