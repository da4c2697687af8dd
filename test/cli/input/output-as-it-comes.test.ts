import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeOutputAsItComes } from '../../../cli/input/files.ts';

describe('output that is written as it comes', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'smdpf-output-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is on the disk piece by piece, and has its name once it is whole', async () => {
    const out = join(folder, 'new', 'rows.jsonl');
    await writeOutputAsItComes(out, '--out', { mode: 0o600 }, async (write) => {
      await write('a\n');
      expect(readdirSync(join(folder, 'new'))).toEqual(['rows.jsonl.partial']);
      expect(readFileSync(`${out}.partial`, 'utf8')).toBe('a\n');
      await write(Buffer.from('b\n'));
    });
    expect(readdirSync(join(folder, 'new'))).toEqual(['rows.jsonl']);
    expect(readFileSync(out, 'utf8')).toBe('a\nb\n');
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });

  it('of an attempt that fails leaves what was there before, and nothing else', async () => {
    const out = join(folder, 'rows.jsonl');
    writeFileSync(out, 'before', { mode: 0o640 });
    const failing = writeOutputAsItComes(out, '--out', {}, async (write) => {
      await write('half');
      throw new Error('the server is gone');
    });
    await expect(failing).rejects.toThrow('the server is gone');
    expect(readdirSync(folder)).toEqual(['rows.jsonl']);
    expect(readFileSync(out, 'utf8')).toBe('before');
  });

  it('keeps the mode of a file that it replaces', async () => {
    const out = join(folder, 'rows.jsonl');
    writeFileSync(out, 'before', { mode: 0o640 });
    await writeOutputAsItComes(out, '--out', { mode: 0o600 }, (write) => write('after'));
    expect([readFileSync(out, 'utf8'), statSync(out).mode & 0o777]).toEqual(['after', 0o640]);
  });

  it('goes to what is no file as it is, and not to a folder', async () => {
    await writeOutputAsItComes('/dev/null', '--out', {}, (write) => write('gone'));
    const wrong = writeOutputAsItComes(folder, '--out', {}, (write) => write('x'));
    await expect(wrong).rejects.toThrow(/cannot be written \(it is a folder\)/);
  });
});
