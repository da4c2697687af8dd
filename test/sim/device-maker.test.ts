import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import { DeviceMaker } from '../../sim/device-maker.ts';
import type { SentFile } from '../../sim/http.ts';
import { SimError } from '../../sim/tlv.ts';

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: Buffer;
}

/** Answers from a list, in order: an object as a successful function, octets as they are. */
class ScriptedServer {
  readonly calls: Call[] = [];
  readonly server: Server;

  constructor(answers: (object | Bytes)[]) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.calls.push({
          path: `${request.method} ${request.url}`,
          headers: request.headers,
          body: Buffer.concat(chunks),
        });
        const answer = answers.shift() ?? {};
        if ('httpStatus' in answer) response.statusCode = Number(answer.httpStatus);
        if ('brokenOff' in answer) {
          request.socket.destroy();
          return;
        }
        if ('retryAfter' in answer) response.setHeader('Retry-After', String(answer.retryAfter));
        const header = { functionExecutionStatus: { status: 'Executed-Success' } };
        response.end(answer instanceof Uint8Array ? answer : JSON.stringify({ header, ...answer }));
      });
    });
  }

  async client(patienceMs?: number, onWait?: (why: string) => void): Promise<DeviceMaker> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    return new DeviceMaker({
      baseUrl: `http://127.0.0.1:${port}`,
      functionRequesterIdentifier: '2.999.50',
      ...(patienceMs !== undefined && { patienceMs }),
      ...(onWait !== undefined && { onWait }),
    });
  }
}

const servers: ScriptedServer[] = [];
afterEach(() => {
  for (const { server } of servers.splice(0)) server.close();
});

async function scripted(...answers: (object | Bytes)[]): Promise<[ScriptedServer, DeviceMaker]> {
  const server = new ScriptedServer(answers);
  servers.push(server);
  return [server, await server.client()];
}

const request = { requestId: Uint8Array.of(0x0a, 0x0b), orderId: 'ORD-1', items: [] };

describe('DeviceMaker', () => {
  it('waits for a Pending batch by its requestId', async () => {
    const batch = Buffer.from('ff6200', 'hex');
    const done = { state: 'Done', bppBatch: batch.toString('base64') };
    const [server, maker] = await scripted({ state: 'Pending' }, { state: 'Pending' }, done);
    expect(toHex(await maker.requestBpp(request, { pollMs: 1 }))).toBe('ff6200');
    expect(server.calls.map(({ path }) => path)).toEqual([
      'POST /ifpp-draft1/esbpp/requestBpp',
      'POST /ifpp-draft1/esbpp/getBppBatch',
      'POST /ifpp-draft1/esbpp/getBppBatch',
    ]);
    expect(JSON.parse(server.calls[1]!.body.toString())).toMatchObject({ requestId: '0a0b' });
  });

  it('uploads a report above 3 MB and names it by its transferId', async () => {
    const report = Buffer.alloc(3_000_001);
    const [server, maker] = await scripted(
      { transferId: 'T1', uploadUrl: '/upload/T1', headers: { 'x-amz-checksum-sha256': 'c3Vt' } },
      Buffer.alloc(0),
      {},
    );
    await maker.sendProfileLoadingReport(report);
    const [open, put, send] = server.calls;
    const sha256 = createHash('sha256').update(report).digest('hex');
    expect(JSON.parse(open!.body.toString())).toMatchObject({
      purpose: 'profileLoadingReport',
      size: report.length,
      sha256,
    });
    expect(put!.path).toBe('PUT /upload/T1');
    expect(put!.headers['x-amz-checksum-sha256']).toBe('c3Vt');
    expect(put!.body.equals(report)).toBe(true);
    expect(JSON.parse(send!.body.toString())).toMatchObject({ transferId: 'T1' });
  });

  it('uploads from 256 KiB on what is asked about again, so that no question carries it', async () => {
    const upload = { transferId: 'T1', uploadUrl: '/upload/T1' };
    const pending = { state: 'Pending' };
    const [server, { client }] = await scripted({}, upload, Buffer.alloc(0), pending, pending, {});
    const send = (object: Bytes, purpose: 'euiccData' | 'template' = 'euiccData') =>
      client.submit('esed1', 'registerEuiccData', purpose, object);
    await send(Buffer.alloc(262_144));
    const larger = Buffer.alloc(262_145);
    for (let question = 0; question < 2; question++) await send(larger);
    await send(larger, 'template');
    expect(server.calls.map(({ path }) => path.split('/').at(-1))).toEqual([
      ...[
        'registerEuiccData',
        'openTransfer',
        'T1',
        'registerEuiccData',
        'registerEuiccData',
        'registerEuiccData',
      ],
    ]);
    expect(server.calls.map(({ body }) => body.length > 10_000)).toEqual([
      true,
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it('uploads once what it asks about again, and as it is read where it is a file', async () => {
    const report = Buffer.alloc(3_000_001, 7);
    const pieces = [report.subarray(0, 1_000_000), report.subarray(1_000_000)];
    const file: SentFile = {
      size: report.length,
      sha256: createHash('sha256').update(report).digest('hex'),
      async *read() {
        yield* pieces;
      },
    };
    const [server, { client }] = await scripted(
      { transferId: 'T1', uploadUrl: '/upload/T1' },
      Buffer.alloc(0),
      { state: 'Pending' },
      { header: { functionExecutionStatus: { status: 'Failed' } } },
      { transferId: 'T2', uploadUrl: '/upload/T2' },
      Buffer.alloc(0),
      { state: 'Done' },
    );
    const send = () => client.submit('esbpp', 'sendProfileLoadingReport', 'profileLoadingReport', file);
    expect((await send()).body.state).toBe('Pending');
    // the day of the transfer is over: the next call sends the content again
    expect((await send()).status).toBe('Failed');
    expect((await send()).body.state).toBe('Done');
    expect(server.calls.map(({ path }) => path.replace('/ifpp-draft1/esbpp', ''))).toEqual([
      'POST /openTransfer',
      'PUT /upload/T1',
      'POST /sendProfileLoadingReport',
      'POST /sendProfileLoadingReport',
      'POST /openTransfer',
      'PUT /upload/T2',
      'POST /sendProfileLoadingReport',
    ]);
    expect(server.calls[1]!.body.equals(report)).toBe(true);
    expect(JSON.parse(server.calls[3]!.body.toString())).toMatchObject({ transferId: 'T1' });
    expect(JSON.parse(server.calls[6]!.body.toString())).toMatchObject({ transferId: 'T2' });
  });

  it('makes a call again where the server closes a connection that it has kept, and not where it closes a new one', async () => {
    const [{ server }, { client }] = await scripted();
    let came = 0;
    server.on('request', () => (came += 1));
    const call = () => client.call('esbpp', 'getServerKeys', {});
    const close = (request: IncomingMessage) => request.socket.destroy();
    expect((await call()).status).toBe('Executed-Success');
    server.prependOnceListener('request', close);
    expect((await call()).status).toBe('Executed-Success');
    expect(came).toBe(3);
    server.closeAllConnections();
    server.prependListener('request', close);
    await expect(call()).rejects.toThrow('socket hang up');
  });

  it('makes a call again that it is to make later, as long as it has patience', async () => {
    const later = (reasonCode: string, retryAfter?: number) => ({
      header: {
        functionExecutionStatus: { status: 'Failed', statusCodeData: { subjectCode: '1.1', reasonCode } },
      },
      ...(retryAfter !== undefined && { retryAfter }),
    });
    const statuses = async (patienceMs: number | undefined, ...answers: object[]) => {
      const server = new ScriptedServer(answers);
      servers.push(server);
      const { client } = await server.client(patienceMs);
      const { status } = await client.call('es2f', 'getOrderOutput', {});
      return [status, server.calls.length];
    };
    expect(await statuses(60_000, later('6.4', 0), later('6.4', 0), {})).toEqual(['Executed-Success', 3]);
    // told to wait longer than it would, not told how long, refused for another reason, and without patience
    expect(await statuses(60_000, later('6.4', 61))).toEqual(['Failed', 1]);
    expect(await statuses(60_000, later('6.4'))).toEqual(['Failed', 1]);
    expect(await statuses(60_000, later('3.9', 0))).toEqual(['Failed', 1]);
    expect(await statuses(undefined, later('6.4', 1))).toEqual(['Failed', 1]);

    // temporary by its status, whoever says so and whether or not he says for how long
    expect(await statuses(60_000, { httpStatus: 503 }, { httpStatus: 502 }, {})).toEqual([
      'Executed-Success',
      3,
    ]);
    expect(await statuses(60_000, { httpStatus: 429, retryAfter: 0 }, {})).toEqual(['Executed-Success', 2]);
    expect(await statuses(60_000, { httpStatus: 503, retryAfter: 61 })).toEqual(['Executed-Success', 1]);
    expect(await statuses(60_000, { httpStatus: 500 })).toEqual(['Executed-Success', 1]);
    expect(await statuses(undefined, { httpStatus: 503 })).toEqual(['Executed-Success', 1]);

    const server = new ScriptedServer([later('6.4', 0), Uint8Array.of(1, 2)]);
    servers.push(server);
    const { client } = await server.client(60_000);
    expect([...(await client.download('/transfers/1'))]).toEqual([1, 2]);
    expect(server.calls.map(({ path }) => path)).toEqual(['GET /transfers/1', 'GET /transfers/1']);
  });

  it('makes a call again whose connection broke off: the same octets, three times where nothing ever answered', async () => {
    const brokenOff = { brokenOff: true };
    const server = new ScriptedServer([brokenOff, brokenOff, {}, brokenOff, {}]);
    servers.push(server);
    const waits: string[] = [];
    const { client } = await server.client(60_000, (why) => waits.push(why));
    expect((await client.call('esbpp', 'requestBpp', {})).status).toBe('Executed-Success');
    expect((await client.call('esbpp', 'requestBpp', {})).status).toBe('Executed-Success');
    expect(new Set(server.calls.slice(0, 3).map(({ body }) => body.toString())).size).toBe(1);
    expect(waits.slice(0, 2)).toEqual(Array(2).fill(expect.stringContaining('broke off')));

    const never = new ScriptedServer(Array(9).fill(brokenOff));
    servers.push(never);
    const { client: stranger } = await never.client(60_000);
    await expect(stranger.call('esbpp', 'requestBpp', {})).rejects.toMatchObject({ kind: 'brokenOff' });
    expect(never.calls).toHaveLength(3);
  });

  it('calls again a server that was restarted, and tells at once of one that was never there', async () => {
    const server = new ScriptedServer([]);
    const { client } = await server.client(60_000, () => {
      // its process is back while the client waits
      if (!server.server.listening) server.server.listen(port, '127.0.0.1');
    });
    const { port } = server.server.address() as AddressInfo;
    servers.push(server);
    await client.call('esbpp', 'getServerKeys', {});
    server.server.closeAllConnections();
    await new Promise((resolve) => server.server.close(resolve));
    expect((await client.call('esbpp', 'getServerKeys', {})).status).toBe('Executed-Success');

    const gone = new ScriptedServer([]);
    const waits: string[] = [];
    const { client: early } = await gone.client(60_000, (why) => waits.push(why));
    await new Promise((resolve) => gone.server.close(resolve));
    await expect(early.call('esbpp', 'getServerKeys', {})).rejects.toMatchObject({ kind: 'unreachable' });
    expect(waits).toEqual([]);
  });

  it('throws what a file that it sends has thrown, and no error of the connection', async () => {
    const gone = new Error('the file has gone');
    const file: SentFile = {
      ...{ size: 3_000_001, sha256: '00' },
      async *read() {
        yield Buffer.alloc(1_000);
        throw gone;
      },
    };
    const server = new ScriptedServer([{ transferId: 'T1', uploadUrl: '/upload/T1' }]);
    servers.push(server);
    const { client } = await server.client(60_000);
    await expect(client.submit('esbpp', 'requestBpp', 'bppRequest', file)).rejects.toBe(gone);
  });

  it('throws on a function that failed, with its codes', async () => {
    const statusCodeData = { subjectCode: '8.8.5', reasonCode: '3.9', message: 'order unknown' };
    const header = { functionExecutionStatus: { status: 'Failed', statusCodeData } };
    const [, maker] = await scripted({ header });
    const refused = maker.requestBpp(request);
    await expect(refused).rejects.toThrow('HTTP 200, Failed 8.8.5/3.9 order unknown');
    await expect(refused).rejects.toBeInstanceOf(SimError);
  });
});
