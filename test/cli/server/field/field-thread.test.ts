import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { DEFAULT_LIMITS } from '../../../../cli/server/admission/limits.ts';
import { SharedCount } from '../../../../cli/server/admission/shared-count.ts';
import { CallbackThread, fieldThread } from '../../../../cli/server/field/field-thread.ts';
import type { Listener } from '../../../../cli/server/listener.ts';
import { fromHex } from '../../../../shared/codec/bytes.ts';
import type { LogRecord } from '../../../../shared/events/log-events.ts';
import { signInstallationResult } from '../../../../sim/euicc/results.ts';
import { boundOf, prepare, Request, register } from '../../../service/scenario.ts';
import { Deployment, OPERATOR } from '../../../support/deployment.ts';
import { eventually } from '../../../support/eventually.ts';
import { httpsSend } from '../../../support/https-send.ts';
import { waitingNotices } from '../../../support/notices.ts';
import { selfSigned } from '../../../support/self-signed.ts';

const tls = selfSigned('smdpf');
const field = { host: '127.0.0.1', port: 0, tls, limits: DEFAULT_LIMITS.field };
const callbacks = new CallbackThread();
const log: LogRecord[] = [];
/** What callbacks told the Operator. */
const told: string[] = [];
let operator: Server;
let deployment: Deployment;
let listener: Listener;
let thread: Worker;

beforeAll(async () => {
  operator = createServer((request, response) => {
    request.on('data', (data) => void told.push(stateIn(String(data))));
    request.on('end', () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => operator.listen(0, '127.0.0.1', resolve));
  deployment = await Deployment.create({ notifier: callbacks.notifier });
  process.once('worker', (worker) => {
    thread = worker;
  });
  listener = await fieldThread(deployment.config, callbacks, (record) => log.push(record))(
    field,
    new SharedCount(),
  );
});
afterAll(async () => {
  await listener?.close();
  await deployment?.close();
  operator?.close();
});

const stateIn = (body: string) => String((JSON.parse(body) as { profileState: unknown }).profileState);
const url = () => `https://127.0.0.1:${listener.port}`;
const notify = (octets: Uint8Array) =>
  httpsSend(tls, `${url()}/gsma/rsp2/es9plus/handleNotification`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-admin-protocol': 'ifpp-draft/v1.0.0' },
    body: JSON.stringify({ pendingNotification: Buffer.from(octets).toString('base64') }),
  });

it('takes notifications of the field and posts callbacks in another thread (I13)', {
  tags: ['ES9-NOTIFICATION', 'I13'],
}, async () => {
  const { port } = operator.address() as AddressInfo;
  await prepare(deployment, 'FIELD', 1, { callbackUrl: `http://127.0.0.1:${port}/callback` });
  const euicc = deployment.eum.personalise({ keys: 1 });
  await register(deployment, [euicc]);
  const [item] = boundOf(await new Request('FIELD', [{ eid: euicc.eid }]).send(deployment.runtime));
  const { transactionId, iccid } = item!.bound;
  const result = signInstallationResult(
    {
      transactionId,
      notification: { seqNumber: 1, event: 'install', address: 'smdpf.example.com', iccid },
      smdpOid: '2.999.10',
      finalResult: { isdpAid: fromHex('a0000005591010ffffffff8900001000') },
    },
    euicc.key,
  );
  const handle = vi.spyOn(deployment.runtime.services.reports, 'handleNotification');
  expect((await httpsSend(tls, `${url()}/health`)).status).toBe(200);
  expect((await notify(result)).status).toBe(204);
  await vi.waitFor(() => expect(told).toContain('Installed'), { timeout: 30_000 });
  expect(handle).not.toHaveBeenCalled();
  expect((await notify(result.subarray(1))).status).toBe(200);
  await eventually(() =>
    expect(log.filter(({ event }) => event === 'call').length).toBeGreaterThanOrEqual(2),
  );
});

it('posts what another thread tells it of', { tags: ['I13'] }, async () => {
  const { port } = operator.address() as AddressInfo;
  await prepare(deployment, 'CLOSED', 1, { callbackUrl: `http://127.0.0.1:${port}/callback` });
  await deployment.runtime.services.orders.closeOrder(OPERATOR, { orderId: 'CLOSED' });
  await vi.waitFor(() => expect(told).toContain('Closed'), { timeout: 4_000 });
  await eventually(async () => expect(await waitingNotices(deployment.runtime.context.ledger)).toEqual([]));
});

it('is replaced where it died, on the same port', { tags: ['I13'] }, async () => {
  await thread.terminate();
  await vi.waitFor(async () => expect((await httpsSend(tls, `${url()}/health`)).status).toBe(200), {
    timeout: 30_000,
    interval: 200,
  });
  expect(log).toContainEqual(expect.objectContaining({ event: 'fault', function: 'server' }));
});

it('says where it cannot listen, and listens no more once it is closed', async () => {
  const same = { ...field, port: listener.port };
  await expect(
    fieldThread(deployment.config, new CallbackThread(), () => undefined)(same, new SharedCount()),
  ).rejects.toThrow(/cannot listen on 127.0.0.1/);
  const closed = url();
  await listener.close();
  await expect(httpsSend(tls, `${closed}/health`)).rejects.toThrow(/ECONNREFUSED/);
});
