import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guarded, removeFile } from '../../shared/vault/durable-files.ts';

const failing = (code: string, syscall: string) => () =>
  Promise.reject(Object.assign(new Error(`${code}: ${syscall} '/secret/path'`), { code, syscall }));

describe('faults of the file system under a vault', () => {
  it.each(['EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EROFS', 'EAGAIN', 'EBUSY', 'ENOMEM'])(
    '%s is one that may pass: the same call may succeed later',
    async (code) => {
      for (const call of ['read', 'write', 'fsync', 'open'])
        await expect(guarded(failing(code, call))).rejects.toMatchObject({ code: 'vault', retryable: true });
    },
  );

  it.each(['ENOENT', 'EACCES', 'ENOTDIR'])('%s is final', async (code) => {
    await expect(guarded(failing(code, 'open'))).rejects.toMatchObject({ code: 'vault', retryable: false });
  });
});

it('a file is removed whose folder another has removed meanwhile', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'durable-'));
  try {
    await expect(removeFile(join(parent, 'gone', 'file'))).resolves.toBeUndefined();
  } finally {
    rmSync(parent, { recursive: true });
  }
});
