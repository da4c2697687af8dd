import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { type Exchanged, exchange, type SentFile } from '../../sim/exchange.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<URL> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

/** Pieces that all lie in the same room, of which one holds until the next is asked for; each is filled with its number. */
function numbered(count: number, size: number): SentFile & { readonly ended: () => boolean } {
  const room = Buffer.alloc(size);
  let ended = false;
  return {
    size: count * size,
    sha256: '00',
    ended: () => ended,
    async *read(): AsyncGenerator<Bytes> {
      try {
        for (let i = 0; i < count; i++) yield room.fill(i % 251);
      } finally {
        room.fill(255);
        ended = true;
      }
    },
  };
}

const put = (url: URL, body: SentFile): Promise<Exchanged> =>
  exchange({ method: 'PUT', url, headers: {}, body }, { timeoutMs: 60_000 });

describe('an object that is sent as it is read', () => {
  it.each([
    [5_000, 1_000],
    [40, 65_536],
  ])('comes whole: %d pieces of %d octets, all in one room', async (count, size) => {
    const received: Buffer[] = [];
    const url = await listening(
      createServer((request, response) => {
        request.on('data', (chunk: Buffer) => received.push(chunk)).on('end', () => response.end());
      }),
    );
    const file = numbered(count, size);
    expect((await put(url, file)).httpStatus).toBe(200);
    const expected = Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.alloc(size, i % 251)));
    expect(Buffer.concat(received).equals(expected)).toBe(true);
    expect(file.ended()).toBe(true);
  });

  it('is put aside where the server cannot be reached, and where it closes the connection', async () => {
    const closing = await listening(createServer((request) => request.socket.destroy()));
    const [gone] = [await listening(createServer()), servers.pop()!.close()];
    for (const url of [closing, gone]) {
      const file = numbered(500, 65_536);
      await expect(put(url, file)).rejects.toThrow();
      await expect.poll(() => file.ended()).toBe(true);
    }
  });
});
