import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSigningKey } from '../../conform/operator/callback.ts';
import { conformOperator } from '../../conform/operator/operator.ts';
import { OPERATOR_RULES } from '../../conform/operator/rules.ts';
import { CallbackServer } from '../../sim/index.ts';
import { Folder } from '../cli/support/binding-bench.ts';
import { runCli } from '../cli/support/cli.ts';
import { selfSigned } from '../support/self-signed.ts';

const receiverTls = selfSigned('localhost');
const smdpf = selfSigned('smdpf.example.com');
const deliveryKey = newSigningKey();
const deliveryKeys = [deliveryKey.jwk as JWK];
const tls = { ca: receiverTls.cert, cert: smdpf.cert, key: smdpf.key };
let right: CallbackServer;

beforeAll(async () => {
  right = await CallbackServer.start({ tls: { ...receiverTls, ca: smdpf.cert }, deliveryKeys });
});

afterAll(() => right.stop());

it('the receiver of sim/ passes every check, as smdpf conform operator tells', async () => {
  const folder = new Folder();
  try {
    const pem = deliveryKey.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    const key = ['--delivery-key', folder.write('delivery.pem', pem)];
    const printed = await runCli('conform', 'operator', '--print-keys', '--json', ...key);
    expect(printed.json()).toEqual({ deliveryKeys: [deliveryKey.jwk] });
    const files = ['--tls-ca', folder.write('ca.pem', tls.ca), '--tls-cert', folder.write('c.pem', tls.cert)];
    const more = ['--tls-key', folder.write('k.pem', tls.key), ...key];
    const { code, json } = await runCli(
      'conform',
      'operator',
      '--url',
      right.url,
      '--json',
      '--batch',
      ...files,
      ...more,
    );
    const { checks } = json<{ checks: { id: string; result: string }[] }>();
    expect(checks.filter(({ result }) => result !== 'passed')).toEqual([]);
    expect(checks.map(({ id }) => id)).toEqual(Object.keys(OPERATOR_RULES));
    expect(code).toBe(0);
  } finally {
    folder.remove();
  }
});

describe('a receiver with a fault', () => {
  const failed = async (url: string, batch: boolean) =>
    (await conformOperator({ url, tls, deliveryKey, now: new Date(), batch }))
      .filter(({ result }) => result === 'failed')
      .map(({ id }) => id);

  async function receiver(
    status: () => number,
    asksForCertificate: boolean,
    batch?: { readonly answer: string },
  ): Promise<readonly string[]> {
    const server: Server = createServer(
      { cert: receiverTls.cert, key: receiverTls.key, ca: smdpf.cert, requestCert: asksForCertificate },
      (request, response) =>
        request.resume().on('end', () => response.writeHead(status()).end(batch?.answer)),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await failed(
        `https://127.0.0.1:${(server.address() as AddressInfo).port}/callbacks`,
        batch !== undefined,
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it('that takes everything is found by each kind of wrong callback', async () => {
    const rules = Object.keys(OPERATOR_RULES).filter(
      (id) =>
        !['operator.tls.server', 'operator.taken', 'operator.repeat', 'operator.late'].includes(id) &&
        !id.startsWith('operator.batch.'),
    );
    expect(await receiver(() => 204, false)).toEqual(rules);
    expect(await receiver(() => 204, false, { answer: '' })).toEqual([...rules, 'operator.batch.body']);
  });

  it.each([
    ['that refuses some of what was right', '{"refused":["00-1"]}'],
    ['whose answer to several is no object', 'OK'],
  ])('%s is found', async (_what, answer) => {
    expect(await receiver(() => 200, false, { answer })).toContain('operator.batch.answer');
  });

  it('that takes nothing, or refuses a repeat, is found by what it has to take', async () => {
    expect(await receiver(() => 401, true)).toEqual(['operator.taken', 'operator.repeat', 'operator.late']);
    let calls = 0;
    expect(await receiver(() => (++calls === 2 ? 409 : calls <= 3 ? 200 : 401), true)).toEqual([
      'operator.repeat',
    ]);
  });

  it('that answers wrong callbacks with 5xx is found', async () => {
    let calls = 0;
    expect(await receiver(() => (++calls <= 3 ? 200 : 500), true)).toContain('operator.body');
  });

  it('whose certificate is of another CA is found, and the rest skipped', async () => {
    const input = { url: right.url, tls: { ...tls, ca: smdpf.cert }, deliveryKey, now: new Date() };
    const checks = await conformOperator(input);
    expect(checks[0]).toMatchObject({ id: 'operator.tls.server', result: 'failed' });
    expect(checks.slice(1).every(({ result }) => result === 'skipped')).toBe(true);
  });
});
