import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readToSend } from '../../../cli/input/sent-file.ts';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { tlv } from '../../../shared/codec/tlv.ts';
import { encodeProfileLoadingReport } from '../../../shared/ifpp-draft1/profile-loading-report.ts';
import { scanProfileLoadingReport } from '../../../shared/ifpp-draft1/profile-loading-report-scan.ts';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-sent-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = (name: string, content: Bytes): string => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};
const send = (file: string) => readToSend(file, '<report>', 'profileLoadingReport');

/** Items whose inside nobody looks at, of a few lengths. */
const items = (count: number, size: number) =>
  Array.from({ length: count }, (_, i) => tlv(0xa1, Buffer.alloc(size + (i % 3), i)));

describe('an object that is sent', () => {
  const large = encodeProfileLoadingReport('0b0b', items(60, 60_000));

  it('is read as it is sent where it is too large to go inline, and is held where it is small', async () => {
    const sent = await send(written('large.der', large));
    if (sent instanceof Uint8Array) throw new Error('it is held');
    expect(sent.size).toBe(large.length);
    const pieces: Bytes[] = [];
    for await (const piece of sent.read()) pieces.push(Buffer.from(piece));
    expect(Buffer.concat(pieces).equals(large)).toBe(true);
    expect((await scanProfileLoadingReport(sent.read(), sent.size, 500)).items).toBe(60);

    // one that could go inline, but with each question how far it is
    expect(
      await send(written('middle.der', encodeProfileLoadingReport('0b0b', items(5, 60_000)))),
    ).toMatchObject({
      size: expect.any(Number),
    });
    const small = encodeProfileLoadingReport('0b0b', items(3, 10));
    expect(await send(written('small.der', small))).toEqual(Buffer.from(small));
  });

  it('of another kind, cut off or with something behind it is refused before anything is sent', async () => {
    const other = Buffer.from(large);
    other[1] = 0x60;
    await expect(send(written('other.der', other))).rejects.toThrow('not a Profile Loading Report');
    await expect(send(written('cut.der', large.subarray(0, -1)))).rejects.toThrow('is cut off');
    await expect(send(written('more.der', Buffer.concat([large, large])))).rejects.toThrow('goes on behind');
    await expect(send(join(folder, 'none.der'))).rejects.toThrow('cannot be read');
  });
});
