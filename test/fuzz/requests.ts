import { connect } from 'node:tls';
import { type RunningServer, startServer } from '../../cli/server/server.ts';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { refuse } from '../../shared/errors.ts';
import type { LogRecord } from '../../shared/events/log-events.ts';
import { PROTOCOL_VERSION } from '../../shared/ifpp-draft1/version.ts';
import { IDENTIFIERS, memoryServices } from '../support/memory-services.ts';
import { type SelfSigned, selfSigned } from '../support/self-signed.ts';
import type { Target, Targets } from './target.ts';

const MANY = 1_000_000;
const limits = {
  parties: { newConnectionsPerSecond: MANY, connectionsPerAddress: MANY, bodySeconds: 1 },
  field: {
    newConnectionsPerSecond: MANY,
    connectionsPerAddress: MANY,
    callsPerSecond: MANY,
    callsPerSecondPerAddress: MANY,
    bodySeconds: 1,
  },
};

/** Whole HTTP requests, as they go over TLS to either port of a server. */
export async function requests(): Promise<Targets> {
  const tls = selfSigned('smdpf');
  const maker = selfSigned('maker');
  const services = memoryServices();
  const { fingerprint } = maker;
  services.register.set(fingerprint, {
    identifier: IDENTIFIERS.deviceMaker,
    role: 'deviceMaker',
    fingerprint,
  });
  const faults: LogRecord[] = [];
  const server = await startServer({
    services,
    tls,
    listen: { host: '127.0.0.1', port: 0 },
    field: { port: 0 },
    limits,
    vault: { openTransfer: () => refuse('transferInvalid', 'no link of ours') },
    log: (line) => void (line.event === 'fault' && faults.push(line)),
  });
  const target = (side: 'parties' | 'field', seeds: readonly string[], client?: SelfSigned): Target => ({
    kind: `HTTPS request to the port of ${side === 'parties' ? 'parties' : 'the field'}`,
    seeds: seeds.map((seed) => Buffer.from(seed)),
    run: async (input) => {
      const answer = await exchanged(server, side, tls, client, input);
      if (faults.length > 0) throw new Error(`a fault in the log: ${JSON.stringify(faults.splice(0))}`);
      if (answer === '') return 'refused';
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
      if (!(status < 500)) throw new Error(`answered with ${answer.slice(0, 100)}`);
      return status < 300 ? 'accepted' : 'refused';
    },
  });
  const body = JSON.stringify({
    header: { functionRequesterIdentifier: IDENTIFIERS.deviceMaker, functionCallIdentifier: 'C-1' },
    requestId: '0A0B',
  });
  const get = 'GET /transfer/abc.def HTTP/1.1\r\nhost: x\r\nrange: bytes=0-9\r\nconnection: close\r\n\r\n';
  const notification = JSON.stringify({ pendingNotification: 'vzcA' });
  return {
    targets: [
      target('parties', [post('/ifpp-draft1/esbpp/getBppBatch', body), get], maker),
      target('field', [post('/gsma/rsp2/es9plus/handleNotification', notification)]),
    ],
    close: () => server.close(),
  };
}

const post = (path: string, body: string) =>
  [
    `POST ${path} HTTP/1.1`,
    'host: smdpf.example.com',
    'content-type: application/json',
    `x-admin-protocol: ${PROTOCOL_VERSION}`,
    `content-length: ${body.length}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');

/** What comes back until the server ends the connection; empty where it says nothing. */
function exchanged(
  { urls }: RunningServer,
  side: 'parties' | 'field',
  tls: SelfSigned,
  client: SelfSigned | undefined,
  input: Bytes,
): Promise<string> {
  return new Promise((resolve) => {
    const own = client === undefined ? {} : { key: client.key, cert: client.cert };
    const socket = connect({
      host: '127.0.0.1',
      port: Number(new URL(urls[side]).port),
      ca: tls.cert,
      ...own,
    });
    let answer = '';
    socket.setTimeout(3_000, () => socket.destroy());
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    socket.end(input);
  });
}
