import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limitsOf } from '../../../cli/server/admission/limits.ts';
import type { Listener } from '../../../cli/server/listener.ts';
import { startManagement } from '../../../cli/server/management.ts';
import { type RunningServer, startServer } from '../../../cli/server/server.ts';
import { AddressList, LOOPBACK } from '../../../shared/net/address-list.ts';
import type { Health } from '../../../shared/service/api/ops.ts';
import { httpsSend } from '../../support/https-send.ts';
import { IDENTIFIERS, memoryServices } from '../../support/memory-services.ts';
import { selfSigned } from '../../support/self-signed.ts';

const tls = selfSigned('smdpf');
const services = memoryServices();
const log = () => undefined;
let health: Health = { ready: true, checks: [{ name: 'keys', state: 'ok' }] };
const ill: Health = {
  ready: false,
  checks: [
    { name: 'keys', state: 'ok' },
    { name: 'disk', state: 'ill', problem: 'failed: ENOSPC' },
  ],
};
let open: Listener;
let closed: Listener;
let server: RunningServer;

const management = (readers: readonly string[]) =>
  startManagement({
    services,
    tls,
    listen: { host: '127.0.0.1', port: 0 },
    limits: limitsOf(undefined).field,
    readers: new AddressList(readers, 'management.readers'),
    health: async () => ({ status: 'ok', stores: {} }),
    ready: async () => health,
    metrics: async () => ({ text: 'smdpf_ready 1\n', contentType: 'text/plain; version=0.0.4' }),
    log,
  });

beforeAll(async () => {
  open = await management(LOOPBACK);
  closed = await management(['10.0.0.0/8']);
  server = await startServer({
    services,
    tls,
    listen: { host: '127.0.0.1', port: 0 },
    field: { port: 0 },
    ready: async () => health,
    vault: { openTransfer: () => expect.unreachable('no transfer is asked for') },
    log,
  });
});
afterAll(() => Promise.all([open?.close(), closed?.close(), server?.close()]));

const ask = (listener: Listener, path: string, options: Parameters<typeof httpsSend>[2] = {}) =>
  httpsSend(tls, `https://127.0.0.1:${listener.port}${path}`, options);

describe('the management port', () => {
  it('tells this machine the metrics and whether it is ready, with what is ill', async () => {
    const metrics = await ask(open, '/metrics');
    expect(metrics.status).toBe(200);
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4');
    expect(metrics.body.toString()).toBe('smdpf_ready 1\n');
    expect(await ask(open, '/health/ready')).toMatchObject({ status: 200 });
    health = ill;
    try {
      const answer = await ask(open, '/health/ready');
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('5');
      expect(JSON.parse(answer.body.toString())).toEqual(ill);
    } finally {
      health = { ready: true, checks: [] };
    }
  });

  it('refuses who is no reader, and any method but GET and HEAD', async () => {
    for (const path of ['/metrics', '/health/ready']) {
      expect(await ask(closed, path)).toMatchObject({ status: 403 });
      expect(await ask(open, path, { method: 'POST' })).toMatchObject({ status: 405 });
    }
    expect(await ask(closed, '/health')).toMatchObject({ status: 200 });
  });

  it('lets a party read from anywhere that looks by ops, and no other', async () => {
    for (const [role, status] of [
      ['viewer', 200],
      ['administrator', 200],
      ['auditor', 200],
      ['operator', 403],
      ['deviceMaker', 403],
    ] as const) {
      const client = selfSigned(role);
      const { fingerprint } = client;
      services.register.set(fingerprint, { identifier: IDENTIFIERS[role], role, fingerprint });
      expect(await ask(closed, '/metrics', { certificate: client }), role).toMatchObject({ status });
    }
    expect(await ask(closed, '/metrics', { certificate: selfSigned('stranger') })).toMatchObject({
      status: 403,
    });
  });

  it('has no function, and nothing under names of objects', async () => {
    for (const path of ['/ifpp-draft1/ops/getHealth', '/toString', '/__proto__', '/metrics/', '/'])
      expect(await ask(open, path), path).toMatchObject({ status: 404 });
  });
});

it('parties learn which check is ill and not why; devices in the field learn neither, nor figures', async () => {
  health = ill;
  const ready = await httpsSend(tls, `${server.urls.parties}/health/ready`);
  expect(ready.status).toBe(503);
  expect(JSON.parse(ready.body.toString())).toEqual({
    ready: false,
    checks: [
      { name: 'keys', state: 'ok' },
      { name: 'disk', state: 'ill' },
    ],
  });
  for (const path of ['/health/ready', '/metrics'])
    expect(await httpsSend(tls, `${server.urls.field}${path}`)).toMatchObject({ status: 404 });
  expect(await httpsSend(tls, `${server.urls.parties}/metrics`)).toMatchObject({ status: 404 });
});

describe('a list of addresses', () => {
  it('has networks of either family, and IPv4 written as IPv6', () => {
    const list = new AddressList(['127.0.0.0/8', '::1', '2001:db8::/32', '10.1.2.3'], 'readers');
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '::1', '2001:db8::7', '10.1.2.3'])
      expect(list.has(address), address).toBe(true);
    for (const address of ['10.1.2.4', '::2', '::ffff:10.1.2.4', '', 'localhost'])
      expect(list.has(address), address).toBe(false);
  });

  it.each(['localhost', '10.0.0.0/33', '::/129', ''])('refuses %s with the name of the member', (entry) => {
    expect(() => new AddressList(['::1', entry], 'management.readers')).toThrow(
      'management.readers[1] is no address or network',
    );
  });
});
