import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { DEFAULT_LIMITS } from '../../../../cli/server/admission/limits.ts';
import { SharedCount } from '../../../../cli/server/admission/shared-count.ts';
import { fieldThread } from '../../../../cli/server/field/field-thread.ts';
import { fromHex } from '../../../../shared/codec/bytes.ts';
import type { LogRecord } from '../../../../shared/events/log-events.ts';
import { signInstallationResult } from '../../../../sim/euicc/results.ts';
import { boundOf, prepare, Request, register } from '../../../service/scenario.ts';
import { Deployment } from '../../../support/deployment.ts';
import { httpsSend } from '../../../support/https-send.ts';
import { selfSigned } from '../../../support/self-signed.ts';

const tls = selfSigned('smdpf');
const field = { host: '127.0.0.1', port: 0, tls, limits: DEFAULT_LIMITS.field };
let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ config: { notifier: 'none:' } });
});
afterAll(() => deployment?.close());

it('takes notifications of the field in another thread, and tells that notices wait (I13)', {
  tags: ['ES9-NOTIFICATION', 'I13'],
}, async () => {
  const orderId = 'FIELD';
  await prepare(deployment, orderId, 1, { callbackUrl: 'http://127.0.0.1:9/callback' });
  const euicc = deployment.eum.personalise({ keys: 1 });
  await register(deployment, [euicc]);
  const [item] = boundOf(await new Request(orderId, [{ eid: euicc.eid }]).send(deployment.runtime));
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
  const onNotices = vi.fn();
  const log: LogRecord[] = [];
  const listener = await fieldThread(deployment.config, onNotices, (record) => log.push(record))(
    field,
    new SharedCount(),
  );
  const url = `https://127.0.0.1:${listener.port}`;
  try {
    const notify = (octets: Uint8Array) =>
      httpsSend(tls, `${url}/gsma/rsp2/es9plus/handleNotification`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-admin-protocol': 'ifpp-draft/v1.0.0' },
        body: JSON.stringify({ pendingNotification: Buffer.from(octets).toString('base64') }),
      });
    expect((await httpsSend(tls, `${url}/health`)).status).toBe(200);
    expect((await notify(result)).status).toBe(204);
    await vi.waitFor(() => expect(onNotices).toHaveBeenCalled());
    expect(handle).not.toHaveBeenCalled();
    expect((await notify(result.subarray(1))).status).toBe(200);
    await vi.waitFor(() =>
      expect(log.filter(({ event }) => event === 'call').length).toBeGreaterThanOrEqual(2),
    );
    await expect(
      fieldThread(
        deployment.config,
        onNotices,
        () => undefined,
      )({ ...field, port: listener.port }, new SharedCount()),
    ).rejects.toThrow(/cannot listen on 127.0.0.1/);
  } finally {
    await listener.close();
  }
  await expect(httpsSend(tls, `${url}/health`)).rejects.toThrow(/ECONNREFUSED/);
});
