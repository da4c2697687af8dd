import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../../cli/server/server.ts';
import { eidWithCheckDigits } from '../../../shared/codec/eid.ts';
import { tlv } from '../../../shared/codec/tlv.ts';
import type { LogRecord } from '../../../shared/events/log-events.ts';
import { MAX_BODY } from '../../../shared/gsma/limits.ts';
import { encodeBppRequest } from '../../../shared/ifpp-draft1/bpp-request.ts';
import type { Services } from '../../../shared/service/api/services.ts';
import { FileVault } from '../../../shared/vault/file.ts';
import { codesOf, jsonOf } from '../../support/function-call.ts';
import { httpsSend, type Send } from '../../support/https-send.ts';
import { IDENTIFIERS, memoryServices } from '../../support/memory-services.ts';
import { selfSigned } from '../../support/self-signed.ts';

const tls = selfSigned('smdpf');
const maker = selfSigned('maker');
const operator = selfSigned('operator');

const send = (url: string, options?: Send) => httpsSend(tls, url, options);

const json = { 'content-type': 'application/json', 'x-admin-protocol': 'ifpp-draft/v1.0.0' };
const header = (role: 'deviceMaker' | 'operator') => ({
  functionRequesterIdentifier: IDENTIFIERS[role],
  functionCallIdentifier: 'C-1',
});
const bppRequest = encodeBppRequest({
  requestId: '0a0b',
  orderId: 'ORD-1',
  euiccData: undefined,
  items: [
    {
      itemId: 1,
      eid: eidWithCheckDigits('890490320010012345678901234567'),
      keyId: undefined,
      iccid: undefined,
      additional: false,
    },
  ],
});

let folder: string;
let vault: FileVault;
let server: RunningServer;
const lines: LogRecord[] = [];
const services = memoryServices();

const start = (with_: Services) =>
  startServer({
    services: with_,
    tls,
    listen: { host: '127.0.0.1', port: 0 },
    field: { port: 0 },
    vault,
    log: (line) => lines.push(line),
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smdpf-server-'));
  vault = await FileVault.open(join(folder, 'vault'), {
    baseUrl: 'https://base.invalid',
    transferSecret: randomBytes(32),
  });
  const parties = { deviceMaker: maker, operator };
  for (const role of ['deviceMaker', 'operator'] as const) {
    const { fingerprint } = parties[role];
    services.register.set(fingerprint, { identifier: IDENTIFIERS[role], role, fingerprint });
  }
  server = await start(services);
});

afterAll(async () => {
  await server?.close();
  await vault?.close();
  await rm(folder, { recursive: true, force: true });
});

const requestBpp = (more: Send = {}) =>
  send(`${server.urls.parties}/ifpp-draft1/esbpp/requestBpp`, {
    method: 'POST',
    certificate: maker,
    headers: json,
    body: JSON.stringify({
      header: header('deviceMaker'),
      bppRequest: Buffer.from(bppRequest).toString('base64'),
    }),
    ...more,
  });

describe('the listener of the parties', { tags: ['HTTP-TLS', 'I7'] }, () => {
  it('runs the handler for the party of the client certificate', async () => {
    const answer = await requestBpp();
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ requestId: '0A0B', state: 'Done' });
  });

  it('moves DER both ways as it is', async () => {
    const asJson = await requestBpp();
    const asDer = await requestBpp({
      headers: { ...json, 'content-type': 'application/octet-stream', accept: 'application/octet-stream' },
      body: bppRequest,
    });
    expect(asDer.headers['content-type']).toBe('application/octet-stream');
    expect(asDer.body.toString('base64')).toBe(asJson.json().bppBatch);
  });

  it('answers 403 without a certificate and to one that is not registered', async () => {
    for (const certificate of [undefined, selfSigned('stranger')]) {
      const answer = await requestBpp({ certificate });
      expect(answer.status).toBe(403);
      expect(codesOf(answer.json())).toBe('1.1/3.9');
    }
  });

  it('knows the party again on a resumed TLS session, and forgets it once it is revoked', async () => {
    const agent = new Agent({ maxCachedSessions: 10, keepAlive: false });
    const sessions: boolean[] = [];
    const once = async () => {
      const answer = await requestBpp({ agent });
      return answer.status;
    };
    agent.createConnection = new Proxy(agent.createConnection, {
      apply: (target, self, parameters) => {
        const socket = Reflect.apply(target, self, parameters);
        socket.once('secureConnect', () => sessions.push(socket.isSessionReused()));
        return socket;
      },
    });
    expect(await once()).toBe(200);
    expect(await once()).toBe(200);
    expect(sessions).toEqual([false, true]);
    const caller = services.register.get(maker.fingerprint)!;
    services.register.delete(maker.fingerprint);
    try {
      expect(await once()).toBe(403);
    } finally {
      services.register.set(maker.fingerprint, caller);
    }
    expect(sessions).toEqual([false, true, true]);
    agent.destroy();
  });

  it('keeps a connection for the next call', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<unknown>();
    agent.on('free', (socket) => ports.add(socket.localPort));
    for (let i = 0; i < 3; i++) expect((await requestBpp({ agent })).status).toBe(200);
    expect(ports.size).toBe(1);
    agent.destroy();
  });

  it.each([
    ['POST', '/ifpp-draft1/esbpp/unknown', 404, '1.6/3.9'],
    ['POST', '/ifpp-draft1/es9plus/handleNotification', 404, '1.6/3.9'],
    ['POST', '/', 404, '1.6/3.9'],
    ['GET', '/ifpp-draft1/esbpp/requestBpp', 405, '1.6/3.1'],
    ['DELETE', '/ifpp-draft1/esbpp/requestBpp', 405, '1.6/3.1'],
    ['DELETE', '/health', 405, '1.6/3.1'],
  ])('answers %s %s with %d', async (method, path, status, codes) => {
    const answer = await send(`${server.urls.parties}${path}`, { method, certificate: maker, headers: json });
    expect(answer.status).toBe(status);
    expect(codesOf(answer.json())).toBe(codes);
    expect(answer.headers.allow !== undefined).toBe(status === 405);
  });

  it('ignores the query of a path', async () => {
    const url = `${server.urls.parties}/health?x=1`;
    expect((await send(url)).status).toBe(200);
  });

  it('refuses TLS 1.1', async () => {
    const port = Number(new URL(server.urls.parties).port);
    const error = await new Promise((resolve) => {
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        ca: tls.cert,
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      });
      socket.once('secureConnect', () => resolve(undefined));
      socket.once('error', resolve);
    });
    expect(error).toBeInstanceOf(Error);
  });
});

describe('the limits of the server while it reads', () => {
  it('a body announced too large is 413 before it is sent', async () => {
    const answer = await new Promise<number>((resolve, reject) => {
      const outgoing = request(
        `${server.urls.parties}/ifpp-draft1/esbpp/requestBpp`,
        {
          method: 'POST',
          ca: tls.cert,
          agent: false,
          key: maker.key,
          cert: maker.cert,
          headers: { ...json, 'content-length': MAX_BODY + 1 },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
          outgoing.destroy();
        },
      );
      outgoing.on('error', reject);
      outgoing.flushHeaders();
    });
    expect(answer).toBe(413);
  });

  it('a body sent too large without a length is 413, and one at the limit is read', async () => {
    const chunked = { ...json, 'transfer-encoding': 'chunked' };
    const over = await requestBpp({ headers: chunked, body: Buffer.alloc(MAX_BODY + 1, 0x20) });
    expect(over.status).toBe(413);
    expect(codesOf(over.json())).toBe('1.3.1/3.8');
    const within = await requestBpp({ headers: chunked, body: Buffer.alloc(MAX_BODY, 0x20) });
    expect(within.status).toBe(200);
    expect(codesOf(within.json())).toBe('1.3.1/2.1');
  });

  it.each([2, 8])(
    'a peer that sends all of a body of %d limits before it reads still learns why',
    async (n) => {
      const length = n * MAX_BODY;
      const socket = connectTls({
        port: Number(new URL(server.urls.parties).port),
        host: '127.0.0.1',
        ca: tls.cert,
        key: maker.key,
        cert: maker.cert,
      });
      await new Promise((resolve) => socket.once('secureConnect', resolve));
      const head = [
        'POST /ifpp-draft1/esbpp/requestBpp HTTP/1.1',
        'host: x',
        ...Object.entries(json).map(([name, value]) => `${name}: ${value}`),
        `content-length: ${length}`,
      ];
      const sent = new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.write(`${head.join('\r\n')}\r\n\r\n`);
        socket.write(Buffer.alloc(length, 0x20), () => resolve());
      });
      await sent;
      let text = '';
      socket.on('data', (data) => {
        text += data;
      });
      await new Promise((resolve) => socket.once('close', resolve));
      expect(text).toMatch(/^HTTP\/1\.1 413 /);
      expect(codesOf(jsonOf({ body: text.slice(text.indexOf('\r\n\r\n') + 4) }))).toBe('1.3.1/3.8');
    },
  );

  it('a peer that leaves in the middle of its body disturbs nobody', async () => {
    const socket = connectTls({
      port: Number(new URL(server.urls.parties).port),
      host: '127.0.0.1',
      ca: tls.cert,
    });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write('POST /ifpp-draft1/esbpp/requestBpp HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc');
    socket.destroy();
    expect((await requestBpp()).status).toBe(200);
    expect(lines.filter(({ event }) => event === 'fault')).toEqual([]);
  });

  it('what is not HTTP gets 400 or a closed connection', async () => {
    const port = Number(new URL(server.urls.parties).port);
    const socket = connectTls({ port, host: '127.0.0.1', ca: tls.cert });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.write(randomBytes(512));
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (data) => {
        text += data;
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer === '' || answer.startsWith('HTTP/1.1 400')).toBe(true);
    const plain = connectTcp(port, '127.0.0.1');
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => plain.once('close', resolve));
    expect((await requestBpp()).status).toBe(200);
  });
});

describe('the listener of the field', { tags: ['ES9-NOTIFICATION', 'HTTP-TLS'] }, () => {
  it.each(['/ifpp-draft1/es9plus/handleNotification', '/gsma/rsp2/es9plus/handleNotification'])(
    'takes a notification at %s with no client certificate',
    async (path) => {
      const answer = await send(`${server.urls.field}${path}`, {
        method: 'POST',
        headers: { ...json, 'x-admin-protocol': 'gsma/rsp/v2.2.2' },
        body: JSON.stringify({ pendingNotification: Buffer.from(tlv(0xbf37)).toString('base64') }),
      });
      expect(answer.status).toBe(204);
      expect(answer.body).toHaveLength(0);
    },
  );

  it('has no function of the parties and no transfers', async () => {
    const calls = ['/ifpp-draft1/esbpp/requestBpp', '/ifpp-draft1/es2f/cancelOrder', '/transfer/x'];
    for (const path of calls) {
      const answer = await send(`${server.urls.field}${path}`, { method: 'POST', certificate: maker });
      expect(answer.status).toBe(404);
    }
    expect((await send(`${server.urls.field}/health`)).json()).toEqual({ status: 'ok', stores: {} });
  });
});

describe('transfers over the embedded server', () => {
  const content = randomBytes(3 * 1024 * 1024 + 17);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const toServer = (url: string) => `${server.urls.parties}${new URL(url).pathname}`;
  const holder = { party: IDENTIFIERS.deviceMaker };
  const fetch = (url: string, options: Send = {}) => send(url, { certificate: maker, ...options });
  const upload = async (name: string, body: Buffer, seconds = 60) =>
    fetch(toServer((await vault.uploadLink(name, { size: content.length, sha256 }, seconds, holder)).url), {
      method: 'PUT',
      body,
    });

  it('an upload is stored, and the same again is answered alike', async () => {
    expect((await upload('uploads/one', content)).status).toBe(200);
    expect((await upload('uploads/one', content)).status).toBe(200);
    expect(await vault.head('uploads/one')).toMatchObject({ version: '00000001', sha256 });
  });

  it('other content than announced is 400 and is not stored', async () => {
    const other = Buffer.from(content);
    other[5]! ^= 1;
    for (const body of [other, content.subarray(1), Buffer.concat([content, Buffer.of(0)])]) {
      const answer = await upload('uploads/two', body);
      expect(answer.status).toBe(400);
      expect(codesOf(answer.json())).toBe('1.6/3.8');
    }
    expect(await vault.head('uploads/two')).toBeUndefined();
  });

  it('a download is whole or a range, and tells its hash', async () => {
    const ref = await vault.put('parts/one', content);
    const url = toServer(await vault.downloadUrl(ref, 60, holder));
    const whole = await fetch(url);
    expect(whole.status).toBe(200);
    expect(whole.headers.etag).toBe(`"${sha256}"`);
    expect(whole.body.equals(content)).toBe(true);
    const part = await fetch(url, { headers: { range: 'bytes=1000000-1000099' } });
    expect(part.status).toBe(206);
    expect(part.headers['content-range']).toBe(`bytes 1000000-1000099/${content.length}`);
    expect(part.body.equals(content.subarray(1_000_000, 1_000_100))).toBe(true);
    expect((await fetch(url, { headers: { range: `bytes=${content.length}-` } })).status).toBe(416);
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers['content-length']).toBe(String(content.length));
    expect(head.body).toHaveLength(0);
    const put = await fetch(url, { method: 'PUT', body: 'x' });
    expect(put.status).toBe(405);
    expect(put.headers.allow).toBe('GET, HEAD');
  });

  it('a peer that leaves in the middle of an upload leaves nothing behind, and no fault', async () => {
    const { url: link } = await vault.uploadLink(
      'uploads/three',
      { size: content.length, sha256 },
      60,
      holder,
    );
    const url = toServer(link);
    const before = lines.length;
    const outgoing = request(url, {
      method: 'PUT',
      ca: tls.cert,
      key: maker.key,
      cert: maker.cert,
      agent: false,
    });
    outgoing.on('error', () => {});
    outgoing.write(content.subarray(0, 1_000_000), () => outgoing.destroy());
    await expect.poll(() => lines.length).toBe(before + 1);
    expect(lines[before]).toMatchObject({ event: 'call', function: 'transfer.upload', httpStatus: 499 });
    expect(await vault.head('uploads/three')).toBeUndefined();
  });

  it('a token that is changed, foreign or expired is 403', async () => {
    const ref = await vault.put('parts/two', content);
    const url = toServer(await vault.downloadUrl(ref, 60, holder));
    expect((await fetch(`${url}x`)).status).toBe(403);
    expect((await fetch(`${server.urls.parties}/transfer/`)).status).toBe(403);
    expect((await fetch(toServer(await vault.downloadUrl(ref, -1, holder)))).status).toBe(403);
  });

  it('a link is of use to the party alone that it was made for, known by its certificate (I7)', async () => {
    const ref = await vault.put('parts/four', content);
    const url = toServer(await vault.downloadUrl(ref, 60, holder));
    expect((await fetch(url)).status).toBe(200);
    const without = await send(url);
    expect([without.status, codesOf(without.json())]).toEqual([403, '1.1/3.9']);
    const other = await send(url, { certificate: operator });
    expect([other.status, codesOf(other.json())]).toEqual([403, '1.6/6.1']);
    const ofNobody = await fetch(toServer(await vault.downloadUrl(ref, 60)));
    expect([ofNobody.status, codesOf(ofNobody.json())]).toEqual([403, '1.6/6.1']);
    const four = await vault.uploadLink('uploads/four', { size: content.length, sha256 }, 60, holder);
    const to = toServer(four.url);
    expect((await send(to, { method: 'PUT', body: content, certificate: operator })).status).toBe(403);
    expect(await vault.head('uploads/four')).toBeUndefined();
    // a party that was revoked since
    const known = services.register.get(maker.fingerprint)!;
    services.register.delete(maker.fingerprint);
    expect((await fetch(url)).status).toBe(403);
    services.register.set(maker.fingerprint, known);
  });

  it('an object that is gone is 500 with an incident, and the log never holds the token', async () => {
    const ref = await vault.put('parts/three', content);
    const url = toServer(await vault.downloadUrl(ref, 60, holder));
    await vault.remove('parts/three');
    const before = lines.length;
    const answer = await fetch(url);
    expect(answer.status).toBe(500);
    expect(codesOf(answer.json())).toBe('1.2/4.2');
    expect(lines.slice(before).map(({ event }) => event)).toEqual(['fault', 'call']);
    expect(JSON.stringify(lines)).not.toContain(new URL(url).pathname.slice('/transfer/'.length));
  });
});

describe('shutdown of the embedded server', () => {
  it('lets a call that is under way end, takes no new one, and closes idle connections', async () => {
    let release = () => {};
    let entered = () => {};
    const working = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = await start({
      ...services,
      delivery: {
        ...services.delivery,
        getBppBatch: async (caller, input) => {
          entered();
          await gate;
          return services.delivery.getBppBatch(caller, input);
        },
      },
    });
    const agent = new Agent({ keepAlive: true });
    expect((await send(`${slow.urls.parties}/health`, { agent })).status).toBe(200);
    const inWork = send(`${slow.urls.parties}/ifpp-draft1/esbpp/getBppBatch`, {
      method: 'POST',
      agent,
      certificate: maker,
      headers: json,
      body: JSON.stringify({ header: header('deviceMaker'), requestId: '0A0B' }),
    });
    await working;
    const startedAt = performance.now();
    const closed = slow.close();
    await expect(send(`${slow.urls.parties}/health`)).rejects.toThrow();
    release();
    expect((await inWork).status).toBe(200);
    await closed;
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    agent.destroy();
  });

  it('a port in use is said in words, and nothing stays open', async () => {
    const { port } = new URL(server.urls.parties);
    await expect(
      startServer({
        services,
        tls,
        listen: { host: '127.0.0.1', port: 0 },
        field: { port: Number(port) },
        vault,
        log: () => {},
      }),
    ).rejects.toThrow(`cannot listen on 127.0.0.1:${port}`);
  });
});
