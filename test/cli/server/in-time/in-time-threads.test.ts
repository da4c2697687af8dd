import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { transferGate } from '../../../../cli/deployment/start.ts';
import { InTimeThreads } from '../../../../cli/server/in-time/in-time-threads.ts';
import { Meters } from '../../../../cli/server/meters.ts';
import { startServer } from '../../../../cli/server/server.ts';
import { CallCost, counting } from '../../../../shared/call-cost.ts';
import type { Refusal } from '../../../../shared/errors.ts';
import type { LogRecord } from '../../../../shared/events/log-events.ts';
import type { InTime } from '../../../../shared/service/esbpp/just-in-time/just-in-time.ts';
import type { ReceivedRequest } from '../../../../shared/service/esbpp/requests.ts';
import type { PersonalisedEuicc } from '../../../../sim/index.ts';
import { boundOf, prepare, Request, registered } from '../../../service/scenario.ts';
import { DEVICE_MAKER, Deployment } from '../../../support/deployment.ts';
import { httpsSend } from '../../../support/https-send.ts';
import { selfSigned } from '../../../support/self-signed.ts';

const CALLS = 8;
const log: LogRecord[] = [];
const started: Worker[] = [];
const onWorker = (worker: Worker) => void started.push(worker);
let threads: InTimeThreads;
let deployment: Deployment;
let euiccs: PersonalisedEuicc[];
/** Calls that were bound in the thread of the test. */
let here = 0;
/** The last one of them. */
let received: ReceivedRequest | undefined;

beforeAll(async () => {
  process.on('worker', onWorker);
  threads = new InTimeThreads(
    1,
    (record) => log.push(record),
    () => undefined,
  );
  deployment = await Deployment.create({
    config: { rateLimit: { perSecond: 0.001, burst: CALLS } },
    inTime(own, config) {
      const counted: InTime = {
        answer(...call) {
          here += 1;
          [received] = call;
          return own.answer(...call);
        },
      };
      return threads.beside(counted, config);
    },
  });
  await prepare(deployment, 'LINE', 100);
  euiccs = await registered(deployment, 8 * CALLS);
});
afterAll(async () => {
  process.off('worker', onWorker);
  await threads?.close();
  await deployment?.close();
});
beforeEach(() => {
  here = 0;
});
afterEach(() => vi.restoreAllMocks());

const requests = () => euiccs.splice(0, CALLS).map(({ eid }) => new Request('LINE', [{ eid }]));
const send = (all: readonly Request[]) =>
  Promise.all(all.map(async (one) => boundOf(await one.send(deployment.runtime))[0]!.bound));
const untilReady = () => vi.waitFor(() => expect(threads.ready).toBe(1), { timeout: 60_000, interval: 50 });

it('binds here what comes alone, and brings a thread up once calls meet', async () => {
  const [first, ...others] = requests();
  await send([first!]);
  expect(started).toHaveLength(0);
  await send(others);
  expect(here).toBe(CALLS);
  await untilReady();
  expect(started).toHaveLength(1);
});

it('binds in the thread what comes beside others, each profile for one eUICC (I1, I2)', {
  tags: ['I1', 'I2'],
}, async () => {
  await untilReady();
  const all = requests();
  const bound = await send(all);
  // the first of them may still be alone
  expect(here).toBeLessThanOrEqual(1);
  expect(new Set(bound.map(({ iccid }) => iccid)).size).toBe(CALLS);
  const again = await send(all);
  expect(again.map(({ bpp }) => Buffer.from(bpp).toString('hex'))).toEqual(
    bound.map(({ bpp }) => Buffer.from(bpp).toString('hex')),
  );
});

it('charges the call with what was read for it in the thread (I13)', { tags: ['I13'] }, async () => {
  await untilReady();
  const reads = await Promise.all(
    requests().map(async (one) => {
      const cost = new CallCost();
      await counting(cost, () => one.send(deployment.runtime));
      return cost.reads;
    }),
  );
  expect(here).toBeLessThanOrEqual(1);
  for (const count of reads) expect(count).toBeGreaterThan(8);
});

it('counts a call once, and within one rate of its party, wherever it is bound (I13)', {
  tags: ['I13'],
}, async () => {
  await untilReady();
  const { services, context } = deployment.runtime;
  const [tls, maker] = [selfSigned('smdpf'), selfSigned('maker')];
  const { identifier, role } = DEVICE_MAKER;
  await services.parties.add(maker.fingerprint, { identifier, role }, 'test');
  const meters = new Meters();
  const server = await startServer({
    services,
    tls,
    listen: { host: '127.0.0.1', port: 0 },
    field: { port: 0 },
    vault: transferGate(context.vault),
    log: (record) => meters.take(record),
  });
  try {
    const url = `${server.urls.parties}/ifpp-draft1/esbpp/requestBpp`;
    const headers = { 'content-type': 'application/octet-stream', 'x-admin-protocol': 'ifpp-draft/v1.0.0' };
    const answers = await Promise.all(
      [...requests(), ...requests()].map(({ der }) =>
        httpsSend(tls, url, { method: 'POST', certificate: maker, headers, body: der }),
      ),
    );
    expect(here).toBeLessThan(CALLS);
    expect(answers).toHaveLength(2 * CALLS);
    const text = await meters.text([]);
    const count = (status: string) =>
      new RegExp(`^smdpf_calls_total\\{function="esbpp.requestBpp",status="${status}"\\} (\\d+)$`, 'm').exec(
        text,
      )?.[1];
    expect([count('Executed-Success'), count('Failed')]).toEqual([String(CALLS), String(CALLS)]);
  } finally {
    await server.close();
  }
});

it('passes on what is refused there as it would be here', async () => {
  await untilReady();
  const euiccData = deployment.eum.euiccDataBatch(euiccs.slice(0, 1));
  const eids = euiccs.slice(0, 2).map(({ eid }) => eid);
  const all = eids.map((eid) => new Request('NOWHERE', [{ eid }], { euiccData }));
  const answered = Promise.allSettled(all.map((one) => one.send(deployment.runtime)));
  const facts = ({ code, message, subjectIdentifier }: Refusal) => ({ code, message, subjectIdentifier });
  const expected = await deployment.runtime.inTime
    .answerAgain(DEVICE_MAKER, all[0]!.der)
    .then(() => expect.unreachable(), facts);
  expect(expected).toMatchObject({ code: 'orderUnknown', subjectIdentifier: 'NOWHERE' });
  for (const result of await answered)
    expect(facts((result as PromiseRejectedResult).reason as Refusal)).toEqual(expected);
  expect(here).toBeLessThanOrEqual(1);
});

it('makes the calls of a thread that died again, and replaces it (I1, I4)', {
  tags: ['I1', 'I4'],
}, async () => {
  await untilReady();
  const all = requests();
  const sent = send(all);
  await Promise.all([sent, started.at(-1)!.terminate()]);
  const bound = await sent;
  expect(new Set(bound.map(({ iccid }) => iccid)).size).toBe(CALLS);
  expect(await send(all)).toEqual(bound);
  expect(log).toContainEqual(expect.objectContaining({ event: 'fault', function: 'server' }));
  await vi.waitFor(
    async () => {
      // a repeat is a call like others
      await send(all);
      expect(threads.ready).toBe(1);
    },
    { timeout: 60_000, interval: 200 },
  );
  expect(started).toHaveLength(2);
});

it('lets calls in work end before it is closed, and gives threads no more', async () => {
  const sent = send(requests());
  await threads.close();
  expect(await sent).toHaveLength(CALLS);
  expect(threads.ready).toBe(0);
});

it('answers here where a thread cannot open the stores, and says why', async () => {
  const told: LogRecord[] = [];
  const lame = new InTimeThreads(
    1,
    (record) => told.push(record),
    () => undefined,
  );
  const config = { ...deployment.config, ledger: `sqlite:${deployment.folder}/nowhere/ledger.sqlite` };
  const own = vi.fn<InTime['answer']>(async () => undefined);
  const bound = lame.beside({ answer: own }, config);
  await Promise.all(Array.from({ length: CALLS }, () => bound.answer(received!, Promise.resolve())));
  expect(own).toHaveBeenCalledTimes(CALLS);
  await vi.waitFor(() => expect(told).toHaveLength(1), { timeout: 60_000, interval: 50 });
  expect(told[0]).toMatchObject({ event: 'fault', errors: [{}, { code: 'ledger' }] });
  expect(lame.ready).toBe(0);
  await lame.close();
});

it('leaves everything here where there are to be no threads', () => {
  const own: InTime = { answer: async () => undefined };
  expect(
    new InTimeThreads(
      0,
      () => undefined,
      () => undefined,
    ).beside(own, deployment.config),
  ).toBe(own);
});
