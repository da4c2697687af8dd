import { afterEach, describe, expect, it } from 'vitest';
import { encodePem, encodePrivateKeyPem, generateKey } from '../../sim/curve.ts';
import { FunctionClient, type TlsIdentity } from '../../sim/http.ts';
import { CallbackServer, type CallbackServerOptions } from '../../sim/operator.ts';
import { SimCi } from '../../sim/pki.ts';

const running: CallbackServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function start(options: CallbackServerOptions = {}): Promise<CallbackServer> {
  const server = await CallbackServer.start(options);
  running.push(server);
  return server;
}

function clientOf(server: CallbackServer, tls: TlsIdentity = {}): FunctionClient {
  return new FunctionClient({
    baseUrl: new URL(server.url).origin,
    functionRequesterIdentifier: '2.999.10',
    tls,
  });
}

const info = { orderId: 'ORD-1', iccid: '8988211000000530082' };

describe('CallbackServer', () => {
  it('answers handleProfileLoadingInfo with 204 and keeps the body', async () => {
    const server = await start();
    const answer = await clientOf(server).call('es2f', 'handleProfileLoadingInfo', info);
    expect(answer).toEqual({ httpStatus: 204, body: {}, status: 'Executed-Success' });
    const [received] = await server.waitFor(1);
    expect(received).toMatchObject({ ...info, header: { functionRequesterIdentifier: '2.999.10' } });
  });

  it('fails the first calls where it is told to', async () => {
    const server = await start({ failFirst: 2 });
    const client = clientOf(server);
    const statuses: number[] = [];
    for (let call = 0; call < 3; call++) {
      statuses.push((await client.call('es2f', 'handleProfileLoadingInfo', info)).httpStatus);
    }
    expect(statuses).toEqual([503, 503, 204]);
    expect(server.calls).toBe(3);
    expect(server.received).toHaveLength(1);
  });

  it('answers other functions with 404', async () => {
    const server = await start();
    expect(await clientOf(server).call('es2f', 'prepareProfiles', info)).toMatchObject({ httpStatus: 404 });
  });

  it('over mutual TLS takes a client of its CI and no other', async () => {
    const ci = SimCi.create();
    const server = await start({ tls: identity(ci) });
    expect(await clientOf(server, identity(ci)).call('es2f', 'handleProfileLoadingInfo', info)).toMatchObject(
      {
        httpStatus: 204,
      },
    );
    const stranger = { ...identity(SimCi.create()), ca: identity(ci).ca };
    await expect(clientOf(server, stranger).call('es2f', 'handleProfileLoadingInfo', info)).rejects.toThrow();
    await expect(
      clientOf(server, { ca: identity(ci).ca }).call('es2f', 'handleProfileLoadingInfo', info),
    ).rejects.toThrow();
  });
});

function identity(ci: SimCi): { ca: string; cert: string; key: string } {
  const key = generateKey('p256');
  const certificate = ci.issueTls(key, { cn: 'test', ipv4: ['127.0.0.1'] });
  return {
    ca: encodePem('CERTIFICATE', ci.certificate),
    cert: encodePem('CERTIFICATE', certificate),
    key: encodePrivateKeyPem(key),
  };
}
