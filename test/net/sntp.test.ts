import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { askClock, parseTimeSource } from '../../shared/net/sntp.ts';

/** 2026-11-27T00:00:00Z by this machine; the clock says what its answer says. */
const NOW = Date.UTC(2026, 10, 27);

/** A clock that answers with these octets laid over a good answer. */
async function clock(aheadMs: number, spoil: (answer: Buffer) => Buffer = (answer) => answer) {
  const socket = createSocket('udp4');
  socket.on('message', (request, { port, address }) => {
    const answer = Buffer.alloc(48);
    answer[0] = 0x24;
    answer[1] = 2;
    request.copy(answer, 24, 40, 48);
    for (const place of [32, 40]) {
      answer.writeUInt32BE((NOW + aheadMs) / 1000 + 2_208_988_800, place);
      answer.writeUInt32BE(0, place + 4);
    }
    socket.send(spoil(answer), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

function withOctet(answer: Buffer, at: number, octet: number): Buffer {
  answer.writeUInt8(octet, at);
  return answer;
}

const ask = (socket: { address(): { port: number } }, timeoutMs?: number) =>
  askClock(`sntp:127.0.0.1:${socket.address().port}`, () => NOW, timeoutMs);

describe('asking a clock (RFC 4330 section 5)', () => {
  it.each([0, 5_000, -5_000])(
    'tells by how much this one differs: the other is ahead by %d ms',
    async (ahead) => {
      const socket = await clock(ahead);
      const { aheadMs, roundTripMs } = await ask(socket);
      socket.close();
      expect({ aheadMs: aheadMs + 0, roundTripMs }).toEqual({ aheadMs: 0 - ahead, roundTripMs: 0 });
    },
  );

  it.each<[string, (answer: Buffer) => Buffer]>([
    ['that is cut off', (answer) => answer.subarray(0, 47)],
    ['to another question', (answer) => withOctet(answer, 24, answer[24]! ^ 1)],
    ['of a clock that is not synchronised', (answer) => withOctet(answer, 0, 0xe4)],
    ['that sends us away (kiss-o’-death)', (answer) => withOctet(answer, 1, 0)],
    ['that is a question', (answer) => withOctet(answer, 0, 0x23)],
  ])('takes no answer %s', async (_, spoil) => {
    const socket = await clock(0, spoil);
    await expect(ask(socket)).rejects.toMatchObject({ code: 'configuration' });
    socket.close();
  });

  it('gives up a clock that does not answer, which may answer later', async () => {
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    await expect(ask(silent, 20)).rejects.toMatchObject({ code: 'configuration', retryable: true });
    silent.close();
  });
});

describe('the name of a time source', () => {
  it('is a host, with a port where it is another than 123', () => {
    expect(parseTimeSource('sntp:time.example.com')).toEqual({ host: 'time.example.com', port: 123 });
    expect(parseTimeSource('sntp:[fd00::1]:1123')).toEqual({ host: 'fd00::1', port: 1123 });
  });

  it.each(['time.example.com', 'ntp:time.example.com', 'sntp:', 'sntp:a b', 'sntp:host:port'])(
    'is not %s',
    (uri) => {
      expect(() => parseTimeSource(uri)).toThrow(/timeSource/);
    },
  );
});
