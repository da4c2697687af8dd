/**
 * Callers of Esbpp.requestBpp, each on a connection of its own that stays open, with as little between the socket and the
 * clock as can be: what is measured is the server. A process of its own.
 */
import { connect, type TLSSocket } from 'node:tls';

export interface CallersData {
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly tls: { readonly cert: string; readonly key: string };
  readonly callers: number;
  /** Bodies of requests, base64; each is sent once. */
  readonly bodies: readonly string[];
}

export interface CallersAnswer {
  /** Milliseconds of each call. */
  readonly times: readonly number[];
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** HTTP statuses other than 200. */
  readonly refused: readonly number[];
  /** Octets of the body of an answer. */
  readonly octets: number;
  /** Milliseconds of the processor that the callers took for each call. */
  readonly callersCpuMs: number;
}

process.once('message', async (data: CallersData) => {
  const answer = await run(data);
  process.send!(answer, () => process.disconnect());
});

async function run({ port, ca, tls, callers, bodies }: CallersData): Promise<CallersAnswer> {
  const octetBodies = bodies.map((body) => Buffer.from(body, 'base64'));
  const sockets = await Promise.all(Array.from({ length: callers }, () => open(port, ca, tls)));
  const times: number[] = [];
  const refused: number[] = [];
  let octets = 0;
  let next = 0;
  const before = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      for (let body = octetBodies[next++]; body !== undefined; body = octetBodies[next++]) {
        const from = performance.now();
        const { status, length } = await exchange(socket, body);
        times.push(performance.now() - from);
        if (status === 200) octets = length;
        else refused.push(status);
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  const callersCpuMs = (user + system) / 1000 / times.length;
  for (const socket of sockets) socket.destroy();
  return { times, seconds, refused, octets, callersCpuMs };
}

function open(port: number, ca: string, tls: CallersData['tls']): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca, ...tls }, () => resolve(socket));
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}

const HEAD = [
  'POST /ifpp-draft1/esbpp/requestBpp HTTP/1.1',
  'Host: 127.0.0.1',
  'Content-Type: application/octet-stream',
  'Accept: application/octet-stream',
  'X-Admin-Protocol: ifpp-draft/v1.0.0',
].join('\r\n');

/** One request and its answer, whose end Content-Length tells. */
function exchange(socket: TLSSocket, body: Buffer): Promise<{ status: number; length: number }> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = received.toString('latin1', 0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (received.length < end + 4 + length) return;
      socket.off('data', onData).off('close', onClose);
      resolve({ status: Number(head.slice(9, 12)), length });
    };
    const onClose = () => reject(new Error('the server has closed the connection'));
    socket.on('data', onData).once('close', onClose);
    socket.write(`${HEAD}\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  });
}
