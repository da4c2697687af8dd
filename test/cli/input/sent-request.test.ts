import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { requestToSend } from '../../../cli/input/sent-request.ts';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { completeEid, encodeBppRequest, INLINE_LIMIT, type SentFile } from '../../../sim/index.ts';
import { tlv } from '../../../sim/tlv.ts';

const folder = mkdtempSync(join(tmpdir(), 'smdpf-sent-request-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const written = (name: string, content: Bytes | string): string => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};
const eidsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => completeEid(`89049032${String(i).padStart(22, '0')}`));
const NAMES = { requestId: Buffer.from('0102', 'hex'), orderId: 'ORD-1' };
const encoded = (eids: readonly string[], euiccData?: Bytes) =>
  Buffer.from(
    encodeBppRequest({
      ...NAMES,
      items: eids.map((eid, i) => ({ itemId: i + 1, eid })),
      ...(euiccData !== undefined && { euiccData }),
    }),
  );

async function octetsOf(sent: Bytes | SentFile): Promise<Buffer> {
  if (sent instanceof Uint8Array) return Buffer.from(sent);
  const pieces: Bytes[] = [];
  for await (const piece of sent.read()) pieces.push(Buffer.from(piece));
  const octets = Buffer.concat(pieces);
  expect(sent.size).toBe(octets.length);
  expect(sent.sha256).toBe(createHash('sha256').update(octets).digest('hex'));
  return octets;
}

describe('a request that is sent', () => {
  it('is the one that its EIDs make, held where it is small', async () => {
    const eids = eidsOf(2_500);
    const file = written('small.txt', `\n${eids.slice(0, 7).join(' \t')}\r\n${eids.slice(7).join('\n')}\n`);
    const sent = await requestToSend({ ...NAMES, eids: file });
    expect(sent).toBeInstanceOf(Uint8Array);
    expect((await octetsOf(sent)).equals(encoded(eids))).toBe(true);
  });

  it('is made anew as it is sent where it is too large to go inline, by its eUICC data', async () => {
    const eids = eidsOf(300);
    const data = tlv(0xff60, Buffer.alloc(INLINE_LIMIT + 1, 5));
    const request = { eids: written('some.txt', eids.join('\n')), euiccData: written('data.der', data) };
    const sent = await requestToSend({ ...NAMES, ...request });
    expect(sent).not.toBeInstanceOf(Uint8Array);
    expect((await octetsOf(sent)).equals(encoded(eids, data))).toBe(true);
    // a second time the same, for a call that is made again
    expect((await octetsOf(sent)).equals(encoded(eids, data))).toBe(true);

    appendFileSync(request.eids, `\n${eids[0]}`);
    await expect(octetsOf(sent)).rejects.toThrow('was changed while it was sent');
  });

  it('is refused where a word is no EID, where there is none, and where the file cannot be read', async () => {
    const send = (content: string) => requestToSend({ ...NAMES, eids: written('wrong.txt', content) });
    const [eid] = eidsOf(1);
    await expect(send(`${eid}\n${eid!.slice(1)}0`)).rejects.toThrow('is not an EID');
    await expect(send('x'.repeat(100_000))).rejects.toThrow(/^x{64}… is not an EID$/);
    await expect(send(' \n')).rejects.toThrow('there is no EID');
    await expect(requestToSend({ ...NAMES, eids: folder })).rejects.toThrow('it is a folder');
  });
});
