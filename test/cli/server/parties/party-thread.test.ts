import { randomBytes } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { transferGate } from '../../../../cli/deployment/transfer-gate.ts';
import { DEFAULT_LIMITS, partOf } from '../../../../cli/server/admission/limits.ts';
import { partyThread, requireThreads } from '../../../../cli/server/parties/party-thread.ts';
import { type RunningServer, startServer } from '../../../../cli/server/server.ts';
import { AnsweringThreads, threadOfParties } from '../../../../cli/server/threads.ts';
import type { LogRecord } from '../../../../shared/events/log-events.ts';
import { ClockWatch } from '../../../../shared/service/evidence/clock-watch.ts';
import { encodeBppRequest } from '../../../../sim/index.ts';
import { prepare, register } from '../../../service/scenario.ts';
import { DEVICE_MAKER, Deployment, OPERATOR } from '../../../support/deployment.ts';
import { httpsSend } from '../../../support/https-send.ts';
import { selfSigned } from '../../../support/self-signed.ts';

const tls = selfSigned('smdpf');
const maker = selfSigned('maker');
const log: LogRecord[] = [];
const JOBS = 8;
/** Each on a connection of its own, so that all of them are hardly ever in one thread: 1 in 2^39. */
const CALLS = 40;
let deployment: Deployment;
let server: RunningServer;
let thread: Worker;
let eids: string[];
let threads: AnsweringThreads;

const start = (port: number) =>
  startServer({
    services: deployment.runtime.services,
    tls,
    listen: { host: '127.0.0.1', port },
    beside: [
      partyThread(
        deployment.runtime,
        (record) => log.push(record),
        (thread) => threads.isIn(threadOfParties(2), thread),
      ),
    ],
    field: { port: 0 },
    vault: transferGate(deployment.runtime.context.vault),
    ready: () => deployment.runtime.services.inventory.getHealth(),
    log: (record) => log.push(record),
  });

beforeAll(async () => {
  // so that a request of two items is long work
  deployment = await Deployment.create({ config: { chunkSize: 1 } });
  const { identifier, role } = DEVICE_MAKER;
  await deployment.runtime.services.parties.add(maker.fingerprint, { identifier, role }, 'test');
  await prepare(deployment, 'THREADS', CALLS + 2 * JOBS);
  const euiccs = Array.from({ length: CALLS + 2 * JOBS }, () => deployment.eum.personalise({ keys: 1 }));
  await register(deployment, euiccs);
  eids = euiccs.map(({ eid }) => eid);
  process.once('worker', (worker) => {
    thread = worker;
  });
  threads = new AnsweringThreads();
  server = await start(0);
});
afterAll(async () => {
  await server?.close();
  await deployment?.close();
});

/** A request for these eUICCs, again and again until it is answered. */
async function bind(of: readonly string[]) {
  const items = of.map((eid, index) => ({ itemId: index + 1, eid }));
  const body = encodeBppRequest({ requestId: randomBytes(8), orderId: 'THREADS', items });
  const headers = {
    'content-type': 'application/octet-stream',
    'x-admin-protocol': 'ifpp-draft/v1.0.0',
  };
  const url = `${server.urls.parties}/ifpp-draft1/esbpp/requestBpp`;
  return await vi.waitFor(
    async () => {
      const answer = await httpsSend(tls, url, { method: 'POST', certificate: maker, headers, body });
      const json = answer.json();
      expect(json).toMatchObject({ state: 'Done' });
      return json;
    },
    { timeout: 30_000, interval: 100 },
  );
}

it('connections are answered here and in the thread, each eUICC once', { tags: ['I1', 'I13'] }, async () => {
  const here = vi.spyOn(deployment.runtime.services.delivery, 'requestBpp');
  const answers = await Promise.all(eids.slice(0, CALLS).map((eid) => bind([eid])));
  expect(here.mock.calls.length).toBeGreaterThan(0);
  expect(here.mock.calls.length).toBeLessThan(CALLS);
  for (const answer of answers) expect(answer).toMatchObject({ items: 1, processed: 1, failed: [] });
  const status = await deployment.runtime.services.orders.getOrderStatus(OPERATOR, {
    orderId: 'THREADS',
    limit: 1,
  });
  expect(status).toMatchObject({ counts: { Available: 2 * JOBS, Delivered: CALLS } });
});

it('a request of many items is bound by the lanes, whoever took it on', async () => {
  const submit = vi.spyOn(deployment.runtime.context.dispatcher, 'submit');
  const rest = eids.slice(CALLS);
  const pairs = Array.from({ length: JOBS }, (_, index) => rest.slice(2 * index, 2 * index + 2));
  const answers = await Promise.all(pairs.map(bind));
  for (const answer of answers) expect(answer).toMatchObject({ items: 2, processed: 2 });
  expect(submit.mock.calls.length).toBeGreaterThanOrEqual(pairs.length);
});

it('its lines are those of the server', () => {
  expect(log.filter(({ event }) => event === 'call').length).toBeGreaterThanOrEqual(CALLS);
});

it('its calls are counted with those of the server, some seconds later', async () => {
  const { inventory } = deployment.runtime.services;
  await vi.waitFor(
    async () => {
      const { calls } = await inventory.listCalls({ function: 'esbpp.requestBpp', limit: 1_000 });
      const counted = calls.reduce((sum, { count }) => sum + count, 0);
      const answered = log.filter((line) => line.event === 'call' && line.function === 'esbpp.requestBpp');
      expect(counted).toBe(answered.length);
    },
    { timeout: 20_000, interval: 500 },
  );
});

it('it is there, and as busy as it is, for whoever watches the server', () => {
  const measures = threads.measures();
  for (const thread of ['parties 1', 'parties 2']) {
    const of = (metric: string) =>
      measures.find((one) => one.metric === metric && Object.values(one.labels).includes(thread))?.value;
    expect(of('smdpf_thread_up')).toBe(1);
    expect(of('smdpf_thread_busy_ratio')).toBeGreaterThan(0);
    expect(of('smdpf_thread_busy_ratio')).toBeLessThanOrEqual(1);
  }
});

it('every thread tells of the clock what one of them has found', async () => {
  const { context } = deployment.runtime;
  const found = { aheadMs: 5_000, roundTripMs: 3 };
  await new ClockWatch(context, 'sntp:clock.example', async () => found).compare();
  const answers = await Promise.all(
    Array.from({ length: CALLS }, () => httpsSend(tls, `${server.urls.parties}/health/ready`)),
  );
  for (const { status, json } of answers) {
    expect(status).toBe(503);
    expect(json()).toMatchObject({ checks: expect.arrayContaining([{ name: 'clock', state: 'ill' }]) });
  }
});

it('another server does not join in on the port', async () => {
  const port = Number(new URL(server.urls.parties).port);
  await expect(start(port)).rejects.toThrow(`cannot listen on 127.0.0.1:${port}`);
});

it('a thread that died is replaced, on the same port', { tags: ['I13'] }, async () => {
  const replaced = new Promise((resolve) => process.once('worker', resolve));
  const isUp = () =>
    threads.measures().filter((one) => one.metric === 'smdpf_thread_up' && one.value === 1).length;
  await thread.terminate();
  expect(isUp()).toBe(1);
  await replaced;
  expect(log).toContainEqual(expect.objectContaining({ event: 'fault', function: 'server' }));
  const { status } = await httpsSend(tls, `${server.urls.parties}/health`);
  expect(status).toBe(200);
  await vi.waitFor(() => expect(isUp()).toBe(2), { timeout: 20_000 });
});

it('each listener has its part of what a caller may take, and all of the time', { tags: ['I13'] }, () => {
  const { parties } = DEFAULT_LIMITS;
  expect(partOf(parties, 1)).toEqual(parties);
  expect(partOf(parties, 3)).toMatchObject({
    connections: 334,
    callsPerParty: 6,
    waitSeconds: parties.waitSeconds,
    bodySeconds: parties.bodySeconds,
  });
});

it('a number of threads that makes no sense, or that the system cannot have, is a Fault', () => {
  expect([requireThreads(), requireThreads(2, 'linux'), requireThreads(1, 'win32')]).toEqual([1, 2, 1]);
  for (const threads of [0, 9]) expect(() => requireThreads(threads)).toThrow('not from 1 to 8');
  expect(() => requireThreads(2, 'darwin')).toThrow('leave it out');
});
