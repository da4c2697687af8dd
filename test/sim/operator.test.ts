import { generateKeyPairSync } from 'node:crypto';
import { CompactEncrypt, type JWK } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CallbackServer, type CallbackServerOptions } from '../../sim/callback-server.ts';
import { encodePem, encodePrivateKeyPem, generateKey } from '../../sim/curve.ts';
import { FunctionClient, type TlsIdentity } from '../../sim/http.ts';
import { Operator } from '../../sim/operator.ts';
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
    expect(answer).toEqual({
      httpStatus: 204,
      body: {},
      status: 'Executed-Success',
      adminProtocol: 'ifpp-draft/v1.0.0',
    });
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

  it('takes several notices of a call one by one, and names those that it refuses', async () => {
    const server = await start({ refuseFirst: 1 });
    const notices = ['N-1', 'N-2', 'N-3'].map((functionCallIdentifier) => ({
      header: { functionRequesterIdentifier: '2.999.10', functionCallIdentifier },
      ...info,
    }));
    const send = (notifications: unknown) =>
      clientOf(server).call('es2f', 'handleProfileLoadingInfo', { orderId: 'ORD-1', notifications });
    expect(await send(notices)).toMatchObject({ httpStatus: 200, body: { refused: ['N-1'] } });
    expect(server.received).toEqual(notices.slice(1));
    expect(await send(notices.slice(0, 1))).toMatchObject({ httpStatus: 204 });
    expect(server.received).toHaveLength(3);
    expect(server.calls).toBe(2);
    for (const nonsense of ['all', [1], [{ header: {} }]])
      expect(await send(nonsense)).toMatchObject({ httpStatus: 400 });
    expect(server.received).toHaveLength(3);
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

describe('Operator', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = privateKey.export({ format: 'jwk' }) as JWK;

  /** An Operator whose server gives these packs, each with the place that its header claims. */
  function operatorOf(places: readonly { order: string; pack: number; packs: number }[]): Operator {
    const operator = new Operator({ baseUrl: 'https://127.0.0.1:9' });
    vi.spyOn(operator.client, 'execute').mockImplementation(async (_, __, input) => {
      const { pack } = input as { pack: number };
      const header = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM', ...places[pack]! };
      const rows = Buffer.from(`{"pack":${pack}}\n`);
      const jwe = await new CompactEncrypt(rows).setProtectedHeader(header).encrypt(publicKey);
      return { packs: places.length, jwe };
    });
    return operator;
  }

  async function rowsOf(operator: Operator): Promise<string[]> {
    const packs: string[] = [];
    for await (const rows of operator.orderOutput('ORD-1', jwk)) packs.push(rows);
    return packs;
  }

  it('reads output rows pack by pack, also those of a replacement made later', async () => {
    const places = [
      { order: 'ORD-1', pack: 0, packs: 2 },
      { order: 'ORD-1', pack: 1, packs: 2 },
      { order: 'ORD-1', pack: 2, packs: 3 },
    ];
    expect(await rowsOf(operatorOf(places))).toEqual(['{"pack":0}\n', '{"pack":1}\n', '{"pack":2}\n']);
  });

  it.each([
    ['of another order', { order: 'ORD-2', pack: 1, packs: 2 }],
    ['of another place', { order: 'ORD-1', pack: 0, packs: 2 }],
    ['beyond the last', { order: 'ORD-1', pack: 1, packs: 1 }],
  ])('does not take output rows %s', async (_, place) => {
    const operator = operatorOf([{ order: 'ORD-1', pack: 0, packs: 2 }, place]);
    await expect(rowsOf(operator)).rejects.toThrow('another place');
  });
});
