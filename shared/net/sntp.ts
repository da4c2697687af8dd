import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Fault } from '../errors.ts';

/** What another clock says of this one. */
export interface ClockComparison {
  /** Milliseconds by which this machine's clock is ahead; negative where it is behind. */
  readonly aheadMs: number;
  /** Milliseconds of the question and its answer: what the comparison cannot be better than. */
  readonly roundTripMs: number;
}

/** Octets of an NTP message without extensions. */
const MESSAGE = 48;
/** Version 4, mode 3 (client). */
const CLIENT = 0x23;
const SERVER_MODE = 4;
const DEFAULT_PORT = 123;
/** Seconds from 1900, where NTP counts from, to 1970. */
const TO_1970 = 2_208_988_800;

/** `sntp:HOST` or `sntp:HOST:PORT`; a Fault where it is neither. */
export function parseTimeSource(uri: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^sntp:([\w.-]+|\[[\da-f:]+\])(?::(\d{1,5}))?$/i.exec(uri) ?? [];
  if (host === undefined)
    throw new Fault(
      'configuration',
      `timeSource: ${uri} names no clock: expected sntp:HOST or sntp:HOST:PORT`,
    );
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? DEFAULT_PORT : Number(port) };
}

/**
 * Asks a clock by SNTP (RFC 4330 section 5): one datagram out, one in. The answer is neither authenticated nor set: it is
 * compared, and told. A Fault where nothing comes, or a server that is not synchronised answers.
 */
export async function askClock(uri: string, now: () => number, timeoutMs = 5_000): Promise<ClockComparison> {
  const { host, port } = parseTimeSource(uri);
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    const request = Buffer.alloc(MESSAGE);
    request[0] = CLIENT;
    const sentMs = now();
    writeTime(request, 40, sentMs);
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) });
    // handled below as well; a failure to send must not be left unheard
    answered.catch(() => undefined);
    await new Promise<void>((resolve, reject) =>
      socket.send(request, port, host, (error) => (error === null ? resolve() : reject(error))),
    );
    const [answer] = (await answered) as [Buffer];
    return compare(request, answer, sentMs, now());
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('configuration', `the clock ${uri} does not answer`, { cause, retryable: true });
  } finally {
    socket.close();
  }
}

function compare(request: Buffer, answer: Buffer, sentMs: number, gotMs: number): ClockComparison {
  const [first = 0, stratum = 0] = answer;
  const own = answer.length >= MESSAGE && answer.subarray(24, 32).equals(request.subarray(40, 48));
  if (!own || (first & 7) !== SERVER_MODE || first >> 6 === 3 || stratum === 0 || stratum > 15)
    throw new Fault('configuration', 'what answered as a clock is not one, or is not synchronised itself');
  const receivedMs = readTime(answer, 32);
  const repliedMs = readTime(answer, 40);
  const behind = (receivedMs - sentMs + (repliedMs - gotMs)) / 2;
  return {
    aheadMs: Math.round(-behind),
    roundTripMs: Math.max(0, Math.round(gotMs - sentMs - (repliedMs - receivedMs))),
  };
}

/** Milliseconds since 1970; era 0 and 1 of NTP (to 2104) by the first bit, as RFC 4330 section 3 has it. */
function readTime(message: Buffer, at: number): number {
  const seconds = message.readUInt32BE(at);
  const era = seconds >= 0x80000000 ? 0 : 2 ** 32;
  return (seconds + era - TO_1970) * 1000 + (message.readUInt32BE(at + 4) / 2 ** 32) * 1000;
}

function writeTime(message: Buffer, at: number, ms: number): void {
  message.writeUInt32BE((Math.floor(ms / 1000) + TO_1970) % 2 ** 32, at);
  message.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), at + 4);
}
