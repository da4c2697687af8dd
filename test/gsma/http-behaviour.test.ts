import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../cli/server/server.ts';
import { eidWithCheckDigits } from '../../shared/codec/eid.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { Fault } from '../../shared/errors.ts';
import type { LogRecord } from '../../shared/events/log-events.ts';
import { functionAt, functionPaths } from '../../shared/gsma/functions/index.ts';
import { sideOf } from '../../shared/gsma/interface-function.ts';
import { MAX_BODY } from '../../shared/gsma/limits.ts';
import { urlPaths } from '../../shared/gsma/paths.ts';
import { encodeBppRequest } from '../../shared/ifpp-draft1/bpp-request.ts';
import type { Services } from '../../shared/service/api/services.ts';
import { Deployment } from '../support/deployment.ts';
import { callHandler, codesOf, handlerOf, jsonOf } from '../support/function-call.ts';
import { httpsSend } from '../support/https-send.ts';
import { IDENTIFIERS, memoryServices } from '../support/memory-services.ts';
import { type SelfSigned, selfSigned } from '../support/self-signed.ts';

/**
 * The contract of HTTP: what is asked of a request and how it is answered, the same wherever a function is served. Each
 * request goes to both fronts, and answers and lines of the log are held against each other.
 */
interface Sent {
  readonly method?: string;
  readonly url: string;
  readonly certificate?: SelfSigned;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body: string | Uint8Array;
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

type Front = (services: Services, sent: Sent, log: (line: LogRecord) => void) => Promise<Answered>;

const functionOf = (url: string) =>
  functionPaths.map(functionAt).find((fn) => urlPaths(fn).includes(url)) ?? functionAt('es2f.cancelOrder');

/** API Gateway hands text on as it is and other bodies in base64; what has no route it answers itself. */
const lambda: Front = async (services, { url, body, ...call }, log) => {
  const path = functionPaths.find((name) => urlPaths(functionAt(name)).includes(url));
  if (path === undefined) return { status: 404, headers: {}, body: Buffer.alloc(0) };
  const answer = await callHandler(handlerOf(path, services, { log }), path, { ...call, raw: body });
  return {
    status: answer.statusCode ?? 200,
    headers: answer.headers ?? {},
    body: Buffer.from(answer.body ?? '', answer.isBase64Encoded ? 'base64' : 'utf8'),
  };
};

const tls = selfSigned('smdpf');
let server: RunningServer;
let served: Services;
let serverLog: (line: LogRecord) => void;

const embedded: Front = async (services, { url, headers, ...sent }, log) => {
  served = services;
  serverLog = log;
  const all = { 'content-type': 'application/json', 'x-admin-protocol': 'ifpp-draft/v1.0.0', ...headers };
  return await httpsSend(tls, `${server.urls[sideOf(functionOf(url))]}${url}`, {
    method: 'POST',
    ...sent,
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
  });
};

const services = memoryServices();
const maker = selfSigned('maker');
const operator = selfSigned('operator');
const stranger = selfSigned('stranger');

beforeAll(async () => {
  for (const [role, { fingerprint }] of [
    ['deviceMaker', maker],
    ['operator', operator],
  ] as const)
    services.register.set(fingerprint, { identifier: IDENTIFIERS[role], role, fingerprint });
  server = await startServer({
    services: forwarded(),
    tls,
    listen: { host: '127.0.0.1', port: 0 },
    field: { port: 0 },
    vault: { openTransfer: () => expect.unreachable('no transfer is asked for') },
    log: (line) => serverLog(line),
  });
});
afterAll(() => server?.close());

/** Services that hand on to those of the request at hand. */
function forwarded(): Services {
  const members = Object.keys(services) as (keyof Services)[];
  return Object.fromEntries(
    members.map((member) => [member, new Proxy({}, { get: (_, name) => Reflect.get(served[member], name) })]),
  ) as never;
}

const HEADERS = ['content-type', 'x-admin-protocol', 'cache-control', 'allow'];
const INCIDENT = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** What must be alike: without what is by chance, and without headers of the connection. */
function told({ status, headers, body }: Answered, lines: readonly LogRecord[]) {
  const chosen = Object.fromEntries(HEADERS.map((name) => [name, headers[name]]));
  const text = JSON.stringify(lines, (name, value) => (name === 'durationMs' ? 0 : value));
  return {
    status,
    headers: chosen,
    body: body.toString('latin1').replace(INCIDENT, 'incident'),
    // where the code that failed was called from is the front's own
    lines: text.replace(INCIDENT, 'incident').replace(/"at":\[[^\]]*\]/g, '"at":[]'),
  };
}

async function onBoth(sent: Sent, by: Services = services) {
  const results = [];
  for (const front of [lambda, embedded]) {
    const lines: LogRecord[] = [];
    const answer = await front(by, sent, (line) => lines.push(line));
    results.push({ answer, lines, told: told(answer, lines) });
  }
  const [first, second] = results;
  return { first: first!, second: second! };
}

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
const REQUEST_BPP = '/ifpp-draft1/esbpp/requestBpp';
const DER = { 'content-type': 'application/octet-stream' };
const json = (members: object, role: 'deviceMaker' | 'operator' = 'deviceMaker') =>
  JSON.stringify({ header: header(role), ...members });
const request: Sent = {
  url: REQUEST_BPP,
  certificate: maker,
  body: json({ bppRequest: Buffer.from(bppRequest).toString('base64') }),
};
const openTransfer = (purpose: string): Sent => ({
  url: '/ifpp-draft1/esbpp/openTransfer',
  certificate: maker,
  body: json({ purpose, size: 1, sha256: 'ab'.repeat(32) }),
});
const notification = (url: string, more: object = {}): Sent => ({
  url,
  headers: { 'x-admin-protocol': 'gsma/rsp/v2.5.0' },
  body: JSON.stringify({ pendingNotification: Buffer.from(tlv(0xbf37)).toString('base64'), ...more }),
});
const without = ({ certificate: _, ...sent }: Sent): Sent => sent;

beforeEach(() => {
  services.received.length = 0;
});

describe('a request is answered alike by Lambda and by the embedded server', () => {
  it.each<[what: string, sent: Sent, status: number, codes: string | undefined]>([
    ['items that are refused', request, 200, 'Executed-WithWarning'],
    ['DER, answered as JSON', { ...request, headers: DER, body: bppRequest }, 200, 'Executed-WithWarning'],
    [
      'DER, answered as DER',
      { ...request, headers: { ...DER, accept: 'application/octet-stream' }, body: bppRequest },
      200,
      undefined,
    ],
    [
      'a request that is not known',
      { ...request, url: '/ifpp-draft1/esbpp/getBppBatch', body: json({ requestId: 'FFFF' }) },
      200,
      '1.6/3.9',
    ],
    ['no client certificate', without(request), 403, '1.1/3.9'],
    ['a certificate that nobody registered', { ...request, certificate: stranger }, 403, '1.1/3.9'],
    ['a party of another role', { ...request, certificate: operator }, 200, '1.1/1.2'],
    [
      'the name of another party',
      { ...request, body: json({ bppRequest: 'AAAA' }, 'operator') },
      200,
      '1.1/1.2',
    ],
    ['GET', { ...request, method: 'GET', body: '' }, 405, '1.6/3.1'],
    ['PUT', { ...request, method: 'PUT' }, 405, '1.6/3.1'],
    ['DELETE', { ...request, method: 'DELETE', body: '' }, 405, '1.6/3.1'],
    ['a body at the limit', { ...request, body: ' '.repeat(MAX_BODY) }, 200, '1.3.1/2.1'],
    ['a body over the limit', { ...request, body: ' '.repeat(MAX_BODY + 1) }, 413, '1.3.1/3.8'],
    ['DER over the limit', { ...request, headers: DER, body: Buffer.alloc(MAX_BODY + 1) }, 413, '1.3.1/3.8'],
    ['an empty body', { ...request, body: '' }, 200, '1.3.1/2.1'],
    ['an empty DER body', { ...request, headers: DER, body: Buffer.alloc(0) }, 200, '1.3.1/2.2'],
    ['text', { ...request, headers: { 'content-type': 'text/plain' } }, 415, '1.3.1/2.1'],
    ['no content type', { ...request, headers: { 'content-type': undefined } }, 415, '1.3.1/2.1'],
    ['a content encoding', { ...request, headers: { 'content-encoding': 'gzip' } }, 415, '1.3.1/2.1'],
    ['octets that are not UTF-8', { ...request, body: Buffer.of(0x7b, 0xff, 0x7d) }, 200, '1.3.1/2.1'],
    ['no protocol', { ...request, headers: { 'x-admin-protocol': undefined } }, 200, '1.3.2/3.1'],
    ['another protocol', { ...request, headers: { 'x-admin-protocol': 'x/v9' } }, 200, '1.3.2/3.1'],
    ['an upload that is opened', openTransfer('bppRequest'), 200, 'Executed-Success'],
    ['an upload for another role', openTransfer('template'), 200, '1.1/1.2'],
    ['an upload that nobody knows', { ...request, body: json({ transferId: 'T-9' }) }, 200, '1.6/3.9'],
    ['a notification', notification('/ifpp-draft1/es9plus/handleNotification'), 204, undefined],
    [
      'a notification of an LPA that sends more than is known here',
      notification('/gsma/rsp2/es9plus/handleNotification', { ofALaterVersion: { x: 1 } }),
      204,
      undefined,
    ],
    [
      'a notification where LPAs send it',
      notification('/gsma/rsp2/es9plus/handleNotification'),
      204,
      undefined,
    ],
  ])('%s', async (_what, sent, status, codes) => {
    const { first, second } = await onBoth(sent);
    expect(second.told).toEqual(first.told);
    expect(first.lines).toHaveLength(1);
    expect(first.answer.status).toBe(status);
    expect(first.answer.headers.allow).toBe(status === 405 ? 'POST' : undefined);
    if (codes !== undefined) expect(codesOf(jsonOf({ body: first.answer.body.toString() }))).toBe(codes);
    if (status === 204) expect(first.answer.body).toHaveLength(0);
  });

  it.each(['/ifpp-draft1/esbpp/unknown', '/ifpp-draft1/esbpp', '/'])('no function at %s', async (url) => {
    const { first, second } = await onBoth({ ...request, url });
    expect([first.answer.status, second.answer.status]).toEqual([404, 404]);
    // API Gateway answers this by itself; the server in the form of the interface
    expect(codesOf(jsonOf({ body: second.answer.body.toString() }))).toBe('1.6/3.9');
  });

  it.each([
    [new Fault('ledger', 'INNER'), '1.2/4.2'],
    [new Fault('keyProviderThrottled', 'INNER', { retryable: true }), '1.2/5.1'],
    [new TypeError('INNER'), '1.2/4.2'],
  ])('a fault of ours, %#', async (error, codes) => {
    const delivery = { ...services.delivery, requestBpp: () => Promise.reject(error) };
    const { first, second } = await onBoth(request, { ...services, delivery });
    expect(second.told).toEqual(first.told);
    expect(first.lines.map(({ event }) => event)).toEqual(['fault', 'call']);
    expect(codesOf(jsonOf({ body: first.answer.body.toString() }))).toBe(codes);
    expect(first.told.body).not.toContain('INNER');
  });

  it('a client certificate that has expired is no party, whatever the register says', async () => {
    const deployment = await Deployment.create({ memory: true });
    try {
      const { parties } = deployment.runtime.services;
      for (const [notAfter, status, codes] of [
        ['20250101000001Z', 403, '1.1/1.2'],
        ['20991231235959Z', 200, 'Executed-WithWarning'],
      ] as const) {
        const certificate = selfSigned('maker', notAfter);
        const identifier = IDENTIFIERS.deviceMaker;
        await parties.add(certificate.fingerprint, { identifier, role: 'deviceMaker' }, 'test');
        const { first, second } = await onBoth(
          { ...request, certificate },
          { ...services, parties: { identify: (of) => parties.identify(of) } },
        );
        expect(second.told).toEqual(first.told);
        expect(first.answer.status).toBe(status);
        expect(codesOf(jsonOf({ body: first.answer.body.toString() }))).toBe(codes);
      }
    } finally {
      await deployment.close();
    }
  });

  it('a refusal is told to the audit log once, whichever front it came by', async () => {
    const refused: unknown[] = [];
    const calls = { answered: () => undefined, refused: async (call: object) => void refused.push(call) };
    await onBoth({ ...request, body: ' '.repeat(MAX_BODY + 1) }, { ...services, calls });
    const line = { function: 'esbpp.requestBpp', subjectCode: '1.3.1', reasonCode: '3.8' };
    expect(refused).toMatchObject([line, line]);
  });
});
