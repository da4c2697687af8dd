import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type ChosenLimits, DEFAULT_LIMITS } from '../../../../cli/server/admission/limits.ts';
import { type RunningServer, startServer } from '../../../../cli/server/server.ts';
import { TIMEOUTS } from '../../../../cli/server/timeouts.ts';
import { countRead } from '../../../../shared/call-cost.ts';
import { tlv } from '../../../../shared/codec/tlv.ts';
import { MAX_BODY, MAX_NOTIFICATION_BODY } from '../../../../shared/gsma/limits.ts';
import type { Services } from '../../../../shared/service/api/services.ts';
import type { Transfer, TransferGate } from '../../../../shared/vault/transfer.ts';
import { codesOf } from '../../../support/function-call.ts';
import { httpsSend, type Send } from '../../../support/https-send.ts';
import { IDENTIFIERS, memoryServices } from '../../../support/memory-services.ts';
import { type SelfSigned, selfSigned } from '../../../support/self-signed.ts';

const tls = selfSigned('smdpf');
const maker = selfSigned('maker');
const operator = selfSigned('operator');
const json = { 'content-type': 'application/json', 'x-admin-protocol': 'ifpp-draft/v1.0.0' };
const header = (role: 'deviceMaker' | 'operator') => ({
  functionRequesterIdentifier: IDENTIFIERS[role],
  functionCallIdentifier: 'C-1',
});
const notification = JSON.stringify({
  pendingNotification: Buffer.from(tlv(0xbf37)).toString('base64'),
});

let server: RunningServer;
const services = memoryServices();
for (const [role, { fingerprint }] of [
  ['deviceMaker', maker],
  ['operator', operator],
] as const)
  services.register.set(fingerprint, { identifier: IDENTIFIERS[role], role, fingerprint });

const noTransfer: TransferGate = { openTransfer: () => expect.unreachable('no transfer is asked for') };

async function start(
  limits: ChosenLimits,
  with_: Partial<Services> = {},
  vault: TransferGate = noTransfer,
): Promise<void> {
  server = await startServer({
    services: { ...services, ...with_ },
    tls,
    listen: { host: '127.0.0.1', port: 0 },
    field: { port: 0 },
    limits,
    vault,
    log: () => undefined,
  });
}
const sockets: { destroy(): unknown }[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

const portOf = (side: 'parties' | 'field') => Number(new URL(server.urls[side]).port);
const getBppBatch = (more: Send = {}) =>
  httpsSend(tls, `${server.urls.parties}/ifpp-draft1/esbpp/getBppBatch`, {
    method: 'POST',
    certificate: maker,
    headers: json,
    body: JSON.stringify({ header: header('deviceMaker'), requestId: '0A0B' }),
    ...more,
  });
const getOrderStatus = () =>
  httpsSend(tls, `${server.urls.parties}/ifpp-draft1/es2f/getOrderStatus`, {
    method: 'POST',
    certificate: operator,
    headers: json,
    body: JSON.stringify({ header: header('operator'), orderId: 'ORD-9' }),
  });
const notify = (more: Send = {}) =>
  httpsSend(tls, `${server.urls.field}/gsma/rsp2/es9plus/handleNotification`, {
    method: 'POST',
    headers: json,
    body: notification,
    ...more,
  });

/** A connection with a request whose body stops after `sent` of `announced` octets. */
async function halfBody(
  side: 'parties' | 'field',
  {
    announced = 3_900_000,
    sent = 1_000_000,
    certificate,
  }: {
    announced?: number;
    sent?: number;
    certificate?: SelfSigned;
  } = {},
): Promise<{ socket: TLSSocket; begun: Promise<string>; answer: Promise<string> }> {
  const path =
    side === 'parties' ? '/ifpp-draft1/esbpp/requestBpp' : '/ifpp-draft1/es9plus/handleNotification';
  const identity = certificate === undefined ? {} : { key: certificate.key, cert: certificate.cert };
  const socket = connectTls({ port: portOf(side), host: '127.0.0.1', ca: tls.cert, ...identity });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  const head = [`POST ${path} HTTP/1.1`, 'host: x', ...Object.entries(json).map((pair) => pair.join(': '))];
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  // the server lingers for what is still under way after it
  const begun = new Promise<string>((resolve) => socket.once('data', () => resolve(text)));
  const answer = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  socket.write(`${head.join('\r\n')}\r\ncontent-length: ${announced}\r\n\r\n`);
  socket.write(Buffer.alloc(sent, 0x20));
  return { socket, begun, answer };
}
const connected = (side: 'parties' | 'field') =>
  new Promise<boolean>((resolve) => {
    const socket = connectTls({ port: portOf(side), host: '127.0.0.1', ca: tls.cert });
    sockets.push(socket);
    socket.once('secureConnect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });

/** A function that stays in work until it is let go, with how many came in. */
function gated() {
  const state = { entered: 0, most: 0, inWork: 0, release: () => {} };
  const gate = new Promise<void>((resolve) => {
    state.release = resolve;
  });
  const work = async () => {
    state.entered += 1;
    state.inWork += 1;
    state.most = Math.max(state.most, state.inWork);
    await gate;
    state.inWork -= 1;
  };
  return { state, work };
}

describe('octets are held only for who is known (I13)', { tags: ['I13'] }, () => {
  it('a body without a client certificate is refused before it is read', async () => {
    await start({});
    const { answer } = await halfBody('parties');
    const text = await answer;
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
    expect(text.toLowerCase()).toContain('connection: close');
  });

  it('a body of a party beyond its rate is refused before it is read', async () => {
    const refuse = async () => {
      const { refuse } = await import('../../../../shared/errors.ts');
      return refuse('rateExceeded', 'too many calls', { retryAfterSeconds: 3 });
    };
    await start({}, { parties: { identify: refuse } });
    const answer = await getBppBatch();
    expect([answer.status, codesOf(answer.json()), answer.headers['retry-after']]).toEqual([
      200,
      '1.1/6.4',
      '3',
    ]);
    const { answer: early } = await halfBody('parties', { certificate: maker, sent: 10 });
    expect(await early).toMatch('"reasonCode":"6.4"');
  });

  it('a party that holds its octets waits, is shed with 1.2/6.4 and Retry-After, and starves nobody', async () => {
    await start({ parties: { bodyOctetsPerParty: 1_000_000, waitSeconds: 0 } });
    await halfBody('parties', { certificate: maker, announced: 1_000_000, sent: 10 });
    await expect.poll(async () => (await getBppBatch()).status).toBe(503);
    const shed = await getBppBatch();
    expect([codesOf(shed.json()), shed.headers['retry-after']]).toEqual(['1.2/6.4', '1']);
    expect((await getOrderStatus()).status).toBe(200);
  });

  it('all parties together hold no more than the budget of all', async () => {
    await start({ parties: { bodyOctets: 1_000_000, waitSeconds: 0 } });
    await halfBody('parties', { certificate: maker, announced: 1_000_000, sent: 10 });
    await expect.poll(async () => (await getOrderStatus()).status).toBe(503);
  });

  it('gives back what a peer held that left, and what a slow one held when its time is up', async () => {
    await start({ parties: { bodyOctetsPerParty: 1_000_000, waitSeconds: 3, bodySeconds: 1 } });
    const { socket } = await halfBody('parties', { certificate: maker, announced: 1_000_000, sent: 10 });
    socket.destroy();
    expect((await getBppBatch()).status).toBe(200);
    const slow = await halfBody('parties', { certificate: maker, announced: 1_000_000, sent: 10 });
    expect(await slow.answer).toMatch(/^HTTP\/1\.1 408 /);
    expect((await getBppBatch()).status).toBe(200);
  });

  it('a body in many small pieces is one body', async () => {
    await start({});
    const body = JSON.stringify({ header: header('deviceMaker'), requestId: '0A0B' });
    const { socket, answer } = await halfBody('parties', {
      certificate: maker,
      announced: body.length,
      sent: 0,
    });
    for (const letter of body) {
      socket.write(letter);
      await new Promise(setImmediate);
    }
    await new Promise((resolve) => socket.once('data', resolve));
    socket.end();
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('calls of one party in work at once (I13)', { tags: ['I13'] }, () => {
  it('are limited, while another party is answered at once', async () => {
    const { state, work } = gated();
    const delivery = {
      ...services.delivery,
      getBppBatch: async (...of: Parameters<Services['delivery']['getBppBatch']>) => {
        await work();
        return services.delivery.getBppBatch(...of);
      },
    };
    await start({ parties: { callsPerParty: 2, waitSeconds: 5 } }, { delivery });
    const calls = Array.from({ length: 6 }, () => getBppBatch());
    await expect.poll(() => state.entered).toBe(2);
    const other = await getOrderStatus();
    expect(codesOf(other.json())).toBe('8.8.5/3.9');
    expect(state.entered).toBe(2);
    state.release();
    for (const answer of await Promise.all(calls)) expect(answer.status).toBe(200);
    expect(state.most).toBe(2);
  });

  it('a party that moved more octets than it may waits for the next ones', async () => {
    await start({ parties: { octetsPerSecondPerParty: 10_000 } });
    const body = ' '.repeat(200_000);
    expect((await getBppBatch({ body })).status).toBe(200);
    const refused = await getBppBatch();
    expect(codesOf(refused.json())).toBe('1.1/6.4');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(8);
    expect(codesOf((await getOrderStatus()).json())).toBe('8.8.5/3.9');
  });
});

describe('what the calls of a party cost (I13)', () => {
  const READ = 4_096;

  it('reads of the stores are charged, whatever the number of calls, and another party is answered', async () => {
    const delivery = {
      ...services.delivery,
      getBppBatch: async (...of: Parameters<Services['delivery']['getBppBatch']>) => {
        countRead(100 * READ);
        return services.delivery.getBppBatch(...of);
      },
    };
    await start({ parties: { readsPerSecondPerParty: 10 } }, { delivery });
    expect((await getBppBatch()).status).toBe(200);
    const refused = await getBppBatch();
    expect(codesOf(refused.json())).toBe('1.1/6.4');
    expect(refused.json()).toMatchObject({
      header: { functionExecutionStatus: { statusCodeData: { message: /reads a second/ } } },
    });
    expect(refused.headers['retry-after']).toBe('2');
    expect(codesOf((await getOrderStatus()).json())).toBe('8.8.5/3.9');
  });

  it('calls that read little are never sent away', async () => {
    await start({ parties: { readsPerSecondPerParty: 1_000 } });
    for (let i = 0; i < 10; i++) expect((await getBppBatch()).status).toBe(200);
  });
});

describe('transfers of a party (I13)', () => {
  const ref = { name: 'parts/1', version: '1', size: 850_000, sha256: '00'.repeat(32) };
  const download = (certificate = maker) =>
    httpsSend(tls, `${server.urls.parties}/transfer/token`, { method: 'GET', certificate });

  /** A link that leads to 850,000 octets, which are given out when the gate opens. */
  const link = (gate: Promise<unknown> = Promise.resolve()) => ({
    openTransfer: (): Transfer => ({
      operation: 'download',
      holder: { party: IDENTIFIERS.deviceMaker },
      ref,
      async *read() {
        await gate;
        for (let left = ref.size; left > 0; left -= 85_000) yield Buffer.alloc(85_000);
      },
    }),
  });
  const mayUse = { ...services.transfers, requireMayUse: async () => undefined };

  it('have a number at once, above which one waits its turn and is shed with 1.2/6.4', async () => {
    const { state, work } = gated();
    await start({ parties: { transfersPerParty: 1, waitSeconds: 0 } }, { transfers: mayUse }, link(work()));
    const first = download();
    await expect.poll(async () => (await download()).status).toBe(503);
    const shed = await download();
    expect([codesOf(shed.json()), shed.headers['retry-after']]).toEqual(['1.2/6.4', '1']);
    // the functions of the same party are not concerned, nor are transfers of another
    expect((await getBppBatch()).status).toBe(200);
    const other = download(operator);
    state.release();
    expect([(await first).status, (await other).status]).toEqual([200, 200]);
  });

  it('are slowed down to their rate, and never cut off', async () => {
    await start({ parties: { transferOctetsPerSecondPerParty: 100_000 } }, { transfers: mayUse }, link());
    const startedAt = performance.now();
    expect((await download()).body).toHaveLength(ref.size);
    expect(performance.now() - startedAt).toBeGreaterThan(450);
  });
});

describe('connections (I13)', () => {
  it('of strangers at an address are limited, and take none of those of a party', async () => {
    await start({ parties: { connectionsPerAddress: 3 } });
    const socket = connectTls({ port: portOf('parties'), host: '127.0.0.1', ca: tls.cert, ...maker });
    sockets.push(socket);
    const body = JSON.stringify({ header: header('deviceMaker'), requestId: '0A0B' });
    const ask = () => {
      const answered = new Promise<string>((resolve) => socket.once('data', (data) => resolve(`${data}`)));
      const head = Object.entries(json).map((pair) => pair.join(': '));
      socket.write(
        `POST /ifpp-draft1/esbpp/getBppBatch HTTP/1.1\r\nhost: x\r\n${head.join('\r\n')}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      return answered;
    };
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 /);
    expect(await Promise.all([1, 2, 3].map(() => connected('parties')))).toEqual([true, true, true]);
    expect(await connected('parties')).toBe(false);
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 /);
    sockets.pop()!.destroy();
    sockets.pop()!.destroy();
    await expect.poll(() => connected('parties')).toBe(true);
  });

  it('of one party are limited', async () => {
    await start({ parties: { connectionsPerParty: 1 } });
    await halfBody('parties', { certificate: maker, sent: 10 });
    await expect.poll(async () => (await getBppBatch()).status).toBe(503);
    expect((await getOrderStatus()).status).toBe(200);
  });

  it('of the field, new ones a second', async () => {
    await start({ field: { newConnectionsPerSecond: 1 } });
    const made = await Promise.all(Array.from({ length: 8 }, () => connected('field')));
    expect(made.filter((ok) => ok)).toHaveLength(5);
    expect(await connected('parties')).toBe(true);
  });

  it('without TLS, or with TLS and no request, are closed in time', async () => {
    await start({ parties: { headSeconds: 1 } });
    const socket = connectTls({ port: portOf('parties'), host: '127.0.0.1', ca: tls.cert });
    sockets.push(socket);
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const silent = connectTcp(portOf('parties'), '127.0.0.1');
    sockets.push(silent);
    const startedAt = performance.now();
    await Promise.all(
      [socket, silent].map((one) => {
        one.resume();
        return new Promise((resolve) => one.once('close', resolve));
      }),
    );
    expect(performance.now() - startedAt).toBeLessThan(9_000);
  });

  it('have ten seconds at most for what comes before a request, unless the configuration says otherwise', () => {
    for (const side of [DEFAULT_LIMITS.parties, DEFAULT_LIMITS.field])
      expect(side.headSeconds).toBeLessThanOrEqual(10);
    expect(TIMEOUTS.tlsHandshake).toBeLessThanOrEqual(10_000);
  });
});

describe('the port of the field (I13)', () => {
  it('takes a small body alone', async () => {
    await start({});
    expect((await notify()).status).toBe(204);
    for (const [sent, announced] of [
      [10, 3_900_000],
      [10, MAX_NOTIFICATION_BODY + 1],
    ] as const)
      expect(await (await halfBody('field', { sent, announced })).begun).toMatch(/^HTTP\/1\.1 413 /);
    const chunked = { ...json, 'transfer-encoding': 'chunked' };
    const over = await notify({ headers: chunked, body: Buffer.alloc(MAX_NOTIFICATION_BODY + 1, 0x20) });
    expect(over.status).toBe(413);
    expect(MAX_NOTIFICATION_BODY).toBeLessThan(MAX_BODY / 100);
  });

  it('has a rate for each address, above which it answers 503 with 1.2/6.4 and Retry-After', async () => {
    await start({ field: { callsPerSecondPerAddress: 1 } });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await notify());
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 503, 503]);
    expect([codesOf(answers[3]!.json()), answers[3]!.headers['retry-after']]).toEqual(['1.2/6.4', '1']);
    const elsewhere = await notify({ localAddress: '127.0.0.2' });
    expect(elsewhere.status).toBe(204);
  });

  it('works on one notification after the other', async () => {
    const { state, work } = gated();
    await start(
      { field: { waitSeconds: 5 } },
      { reports: { ...services.reports, handleNotification: work } },
    );
    const calls = Array.from({ length: 4 }, () => notify());
    await expect.poll(() => state.entered).toBe(1);
    state.release();
    for (const { status } of await Promise.all(calls)) expect(status).toBe(204);
    expect(state.most).toBe(1);
  });

  it('passes over members that it does not know: an LPA would send its notification for ever', async () => {
    await start({});
    const body = JSON.stringify({ ...(JSON.parse(notification) as object), laterMember: { a: [1] } });
    expect((await notify({ body })).status).toBe(204);
  });
});
