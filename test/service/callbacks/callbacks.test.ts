import { X509Certificate } from 'node:crypto';
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Item } from '../../../shared/ledger/ledger.ts';
import { attempt } from '../../../shared/notify/attempt.ts';
import { postCallbacks } from '../../../shared/notify/post.ts';
import { SCHEDULE } from '../../../shared/notify/schedule.ts';
import type { CallbackContext } from '../../../shared/service/callbacks/callback-context.ts';
import { CallbackCourier } from '../../../shared/service/callbacks/courier.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { noticeRecord } from '../../../shared/service/records/notice.ts';
import { encodeProfileLoadingReport, verifyCallback } from '../../../sim/index.ts';
import { count } from '../../support/counts.ts';
import { caller, DEVICE_MAKER, Deployment, OPERATOR } from '../../support/deployment.ts';
import { dyingAt } from '../../support/dying-ledger.ts';
import { effort } from '../../support/effort.ts';
import { waitingNotices } from '../../support/notices.ts';
import { sharedSoftkey } from '../../support/softkeys.ts';
import { boundOf, prepare, Request, registered } from '../scenario.ts';
import { Receiver } from './receiver.ts';

const DAY_MS = 86_400_000;

let deployment: Deployment;
let receiver: Receiver;
let ahead = 0;
/** A clock that a test can put forward. */
const now = () => Date.now() + ahead;
let made = 0;
const uses: string[] = [];

beforeAll(async () => {
  deployment = await Deployment.create({
    memory: true,
    // notices wait until a test posts them
    config: { notifier: 'none:' },
    now,
    onKeyUse: ({ operation, uri }) =>
      uses.push(`${operation} ${uri.includes('delivery') ? 'delivery' : ''}`.trim()),
  });
  receiver = await Receiver.start();
});
afterAll(async () => {
  await receiver.stop();
  await deployment.close();
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = 204;
  uses.length = 0;
});

const context = (): CallbackContext => deployment.runtime.context;
const courierOf = (own = context(), ca?: string) =>
  new CallbackCourier(own, postCallbacks('ifpp-draft/v1.0.0', own.settings.destinations), ca);
const keysOf = async () =>
  (await deployment.runtime.services.orders.getServerKeys(OPERATOR)).deliveryKeys as JWK[];

/** An order with callbacks, and an FPA's word on so many of its profiles: a notice each. */
async function told(profiles: number, more: { callbackCa?: string } = { callbackCa: receiver.ca }) {
  const orderId = `CALL-${made++}`;
  await prepare(deployment, orderId, profiles, { callbackUrl: receiver.url, ...more });
  const euiccs = await registered(deployment, profiles);
  const answer = await new Request(
    orderId,
    euiccs.map(({ eid }) => ({ eid })),
  ).send(deployment.runtime);
  const items = boundOf(answer).map(({ eid, bound: { transactionId } }) => ({
    fpaError: { transactionId, eid, cause: 'damaged' as const },
  }));
  const report = encodeProfileLoadingReport({ reportId: Buffer.from(orderId), items });
  await deployment.runtime.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
  return { orderId, notices: await noticesOf(orderId) };
}

const noticesOf = (orderId: string) => waitingNotices(context().ledger, `${orderId}#`);

const post = async (notice: Item, courier = courierOf(), schedule = SCHEDULE) =>
  (await attempt({ ledger: context().ledger, courier, now }, [notice], schedule))[0];

interface CallbackHeader {
  readonly endorsement: string;
  readonly iat: number;
  readonly jti: string;
}
interface EndorsedKey {
  readonly jwk: JWK;
  readonly nbf: number;
  readonly exp: number;
}
interface CallbackBody {
  readonly header: { readonly functionCallIdentifier: string; readonly functionRequesterIdentifier: string };
  readonly profileState: string;
  readonly iccid: string;
}

/** As an Operator does it with a JOSE library, step by step. */
async function verified({ octets, headers }: Receiver['received'][number]) {
  const [head, nothing, signature] = String(headers['x-jws-signature']).split('.');
  expect(nothing).toBe('');
  const header = JSON.parse(Buffer.from(head!, 'base64url').toString()) as CallbackHeader;
  const { kid } = decodeProtectedHeader(header.endorsement);
  const delivery = (await keysOf()).find((key) => key.kid === kid);
  const { payload } = await compactVerify(header.endorsement, await importJWK(delivery!, 'ES256'));
  const endorsed = JSON.parse(Buffer.from(payload).toString()) as EndorsedKey;
  const compact = `${head}.${octets.toString('base64url')}.${signature}`;
  const { payload: body } = await compactVerify(compact, await importJWK(endorsed.jwk, 'ES256'));
  return { header, endorsed, body: JSON.parse(Buffer.from(body).toString()) as CallbackBody };
}

describe('a callback', { tags: ['DPFF07'] }, () => {
  it('shows a client certificate and carries a JWS that another library verifies', async () => {
    const { orderId, notices } = await told(1);
    expect(await post(notices[0]!)).toEqual({ kind: 'taken' });
    expect(await noticesOf(orderId)).toEqual([]);
    const [callback] = receiver.received;
    const { header, endorsed, body } = await verified(callback!);
    const call = body.header.functionCallIdentifier;
    expect(header).toEqual({
      alg: 'ES256',
      typ: 'smdpf-callback+jws',
      kid: endorsed.jwk.kid,
      aud: receiver.url,
      iat: expect.any(Number),
      jti: call,
      endorsement: expect.any(String),
    });
    expect(header.iat).toBeGreaterThanOrEqual(endorsed.nbf);
    expect(header.iat).toBeLessThan(endorsed.exp);
    expect(endorsed.exp - header.iat).toBeLessThanOrEqual(86_400);
    expect(endorsed.jwk).not.toHaveProperty('d');
    expect(decodeProtectedHeader(header.endorsement)).toMatchObject({
      alg: 'ES256',
      typ: 'smdpf-callback-key+jws',
    });
    expect(body.header.functionRequesterIdentifier).toBe('2.999.10');
    expect(body).toMatchObject({ orderId, profileState: 'Unreported' });
    const client = new X509Certificate(callback!.client!);
    expect(client.subject).toBe('CN=smdpf.example.com');
    expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  it('is octet by octet the same on each attempt, whoever makes it', async () => {
    const { notices, orderId } = await told(1);
    receiver.answer = 503;
    for (let n = 1; n <= 3; n++) {
      const [notice] = await noticesOf(orderId);
      expect(await post(notice!, courierOf())).toMatchObject({ kind: 'delayed', attempts: n });
      ahead += 2_000;
    }
    receiver.answer = 200;
    expect(await post((await noticesOf(orderId))[0]!, courierOf())).toEqual({ kind: 'taken' });
    expect(notices).toHaveLength(1);
    const seen = receiver.received.map(({ octets, headers }) => `${octets} ${headers['x-jws-signature']}`);
    expect(seen).toHaveLength(4);
    expect(new Set(seen).size).toBe(1);
  });

  it.each([
    ['another body', (octets: Buffer) => Buffer.from(octets.toString().replace('damaged', 'damage'))],
    ['a space more', (octets: Buffer) => Buffer.concat([octets, Buffer.from(' ')])],
  ])('%s is found out by its signature', async (_what, change) => {
    const { notices } = await told(1);
    await post(notices[0]!);
    const { octets, headers } = receiver.received[0]!;
    const signature = String(headers['x-jws-signature']);
    const expected = { url: receiver.url, deliveryKeys: await keysOf() };
    expect(await verifyCallback(octets, signature, expected)).toMatchObject({ jti: expect.any(String) });
    await expect(verifyCallback(change(octets), signature, expected)).rejects.toThrow(
      'does not hold over this body',
    );
    const elsewhere = { ...expected, url: 'https://another.example/' };
    await expect(verifyCallback(octets, signature, elsewhere)).rejects.toThrow('is meant for');
    const strangers = { ...expected, deliveryKeys: [] };
    await expect(verifyCallback(octets, signature, strangers)).rejects.toThrow('endorsed by no delivery key');
  });

  it('costs a signature of the delivery key a day, not one each', async () => {
    ahead += 2 * DAY_MS;
    const { notices } = await told(20);
    uses.length = 0;
    const courier = courierOf();
    for (const notice of notices) await post(notice, courier);
    // a second process takes the key that is there
    const { notices: others } = await told(20);
    const second = courierOf();
    for (const notice of others) await post(notice, second);
    expect(receiver.received).toHaveLength(40);
    expect(uses.filter((use) => use === 'sign delivery')).toHaveLength(1);
    ahead += DAY_MS;
    const [later] = (await told(1)).notices;
    await post(later!, courier);
    expect(uses.filter((use) => use === 'sign delivery')).toHaveLength(2);
    await verified(receiver.received.at(-1)!);
  });

  it('is signed anew, under the same jti, once the delivery key behind its signature is retired', async () => {
    const { orderId, notices } = await told(1);
    receiver.answer = 503;
    await post(notices[0]!);
    const before = deployment.config.keys.delivery;
    const next = before.replace('delivery.key', 'delivery-2.key');
    const { keys, context } = deployment.runtime;
    await sharedSoftkey(keys, next, 'ecdsa-p256', 'delivery');
    await context.keyAssignments.assign('delivery', next, 'test');
    receiver.answer = 204;
    const [notice] = await noticesOf(orderId);
    await post(notice!, courierOf(), SCHEDULE);
    // replaced alone, it still counts
    const again = receiver.received.map(({ headers }) => headers['x-jws-signature']);
    expect(new Set(again).size).toBe(1);
    const other = await told(1);
    receiver.answer = 503;
    await post(other.notices[0]!);
    const retired = receiver.received.at(-1)!;
    const third = before.replace('delivery.key', 'delivery-3.key');
    await sharedSoftkey(keys, third, 'ecdsa-p256', 'delivery');
    await context.keyAssignments.assign('delivery', third, 'test');
    await context.keyAssignments.retire('delivery', next, 'test');
    receiver.answer = 204;
    await post((await noticesOf(other.orderId))[0]!);
    const renewed = receiver.received.at(-1)!;
    expect(renewed.headers['x-jws-signature']).not.toBe(retired.headers['x-jws-signature']);
    const { header } = await verified(renewed);
    expect(
      decodeProtectedHeader(String(retired.headers['x-jws-signature']).replace('..', '.e30.')),
    ).toMatchObject({
      jti: header.jti,
    });
  });

  it('survives a death at any call of the ledger: the same octets, and none is lost', async () => {
    const deaths = effort({ short: 8, long: 24 });
    for (let call = 1; call <= deaths; call++) {
      // no key is there yet, for every other death
      if (call % 2 === 0) ahead += DAY_MS;
      const { orderId } = await told(1);
      receiver.received.length = 0;
      for (const die of [call, undefined, undefined]) {
        const [notice] = await noticesOf(orderId);
        if (notice === undefined) break;
        const mortal =
          die === undefined ? context() : { ...context(), ledger: dyingAt(context().ledger, die) };
        await attempt({ ledger: mortal.ledger, courier: courierOf(mortal), now }, [notice]).catch(
          () => undefined,
        );
      }
      expect(await noticesOf(orderId)).toEqual([]);
      const seen = receiver.received.map(({ octets, headers }) => `${octets} ${headers['x-jws-signature']}`);
      expect(seen.length, `death at call ${call}`).toBeGreaterThan(0);
      expect(new Set(seen).size, `death at call ${call}`).toBe(1);
      count('crashes', 1);
    }
  });

  it('goes to a server of the CA that its order names, and to that of no other', async () => {
    const { notices } = await told(1, {});
    expect(await post(notices[0]!)).toMatchObject({
      kind: 'delayed',
      reason: expect.stringMatching(/^the callback server and TLS do not agree \(\w+\)$/),
    });
    expect(await post(notices[0]!, courierOf(context(), receiver.ca))).toEqual({ kind: 'taken' });
    const stranger = await Receiver.start();
    const pinned = await told(1, { callbackCa: stranger.ca });
    await stranger.stop();
    expect(await post(pinned.notices[0]!, courierOf(context(), receiver.ca))).toMatchObject({
      kind: 'delayed',
    });
    for (const callbackCa of ['no PEM', receiver.ca.replace(/.{20}\n-----END/, 'AAAA\n-----END')])
      await expect(told(1, { callbackCa })).rejects.toMatchObject({ code: 'orderInvalid' });
  });
});

describe('what an Operator and people see of callbacks', () => {
  const statusOf = async (orderId: string) =>
    (await deployment.runtime.services.orders.getOrderStatus(OPERATOR, { orderId })).callbacks;

  it('getOrderStatus tells how they do, and what was given up is replayed as it was', async () => {
    const { orderId, notices } = await told(2);
    expect(await statusOf(orderId)).toMatchObject({
      waiting: 2,
      delayed: 0,
      parked: 0,
      oldest: expect.any(String),
    });
    receiver.answer = 500;
    await post(notices[0]!);
    await post(notices[1]!, courierOf(), { ...SCHEDULE, attempts: 1 });
    expect(await statusOf(orderId)).toMatchObject({
      waiting: 1,
      delayed: 1,
      parked: 1,
      nextAttempt: expect.any(String),
      lastFailure: 'the callback was answered with HTTP 500',
    });
    const administrator = caller('2.999.80', 'administrator');
    const { callbacks } = deployment.runtime.services;
    const other = await callbacks.replayCallbacks(administrator.identifier, {
      orderId: 'ANOTHER',
      limit: 10,
    });
    expect(other).toEqual({ replayed: 0, more: false });
    expect(await callbacks.replayCallbacks(administrator.identifier, { orderId, limit: 10 })).toEqual({
      replayed: 1,
      more: false,
    });
    expect(await callbacks.replayCallbacks(administrator.identifier, { orderId, limit: 10 })).toEqual({
      replayed: 0,
      more: false,
    });
    expect(await statusOf(orderId)).toMatchObject({ waiting: 2, parked: 0 });
    receiver.answer = 204;
    for (const notice of await noticesOf(orderId)) {
      expect(noticeRecord.from(notice).signed).toBeDefined();
      await post(notice);
    }
    const seen = receiver.received.map(({ octets, headers }) => `${octets} ${headers['x-jws-signature']}`);
    expect(seen).toHaveLength(4);
    expect(new Set(seen).size).toBe(2);
    expect(await statusOf(orderId)).toEqual({ waiting: 0, delayed: 0, parked: 0 });
  });

  it('a profile that is closed before it is bound is told of, once', async () => {
    const orderId = `CLOSED-${made++}`;
    const [iccid] = await prepare(deployment, orderId, 2, {
      callbackUrl: receiver.url,
      callbackCa: receiver.ca,
    });
    const { orders } = deployment.runtime.services;
    for (let n = 0; n < 2; n++) await orders.cancelOrder(OPERATOR, { orderId, iccid: iccid! });
    const notices = await noticesOf(orderId);
    expect(notices).toHaveLength(1);
    await post(notices[0]!);
    await orders.cancelOrder(OPERATOR, { orderId, iccid: iccid! });
    expect(await noticesOf(orderId)).toEqual([]);
    const { body } = await verified(receiver.received[0]!);
    expect(body).toMatchObject({
      iccid,
      profileState: 'Closed',
      header: { functionRequesterIdentifier: '2.999.10' },
    });
  });
});

describe('the end of an order', () => {
  const statesOf = async (orderId: string) => {
    const { items } = await deployment.runtime.services.orders.getOrderStatus(OPERATOR, { orderId });
    return items.map(({ state }) => state);
  };

  it.each(['closeOrder', 'cancelOrder'] as const)(
    'by %s tells of every profile that it closes, once',
    async (end) => {
      const { orderId } = await told(2);
      const more = `${orderId}-MORE`;
      await prepare(deployment, more, 3, { callbackUrl: receiver.url, callbackCa: receiver.ca });
      const { orders } = deployment.runtime.services;
      for (const id of [orderId, more, more]) await orders[end](OPERATOR, { orderId: id });
      expect(await noticesOf(orderId), 'what was bound stays bound').toHaveLength(2);
      const notices = await noticesOf(more);
      for (const notice of notices) await post(notice);
      await orders[end](OPERATOR, { orderId: more });
      expect(await noticesOf(more)).toEqual([]);
      const bodies = receiver.received.map(({ octets }) => JSON.parse(octets.toString()) as CallbackBody);
      expect(bodies.map(({ profileState }) => profileState)).toEqual(['Closed', 'Closed', 'Closed']);
      expect(new Set(bodies.map(({ iccid }) => iccid)).size).toBe(3);
      expect(await statesOf(more)).toEqual(['Closed', 'Closed', 'Closed']);
      expect(await context().ledger.get(ledgerKeys.openWork('closing', more))).toBeUndefined();
    },
  );

  it('is told of to the end also where the process died on it, and nobody closes again', async () => {
    const orderId = `ENDS-${made++}`;
    await prepare(deployment, orderId, 3, { callbackUrl: receiver.url, callbackCa: receiver.ca });
    const { ledger } = deployment.runtime.context;
    const real = ledger.transact.bind(ledger);
    let left = 2;
    ledger.transact = async (writes) => {
      if (left-- <= 0) throw new Error('dead');
      return await real(writes);
    };
    await expect(deployment.runtime.services.orders.closeOrder(OPERATOR, { orderId })).rejects.toThrow(
      'dead',
    );
    ledger.transact = real;
    expect((await noticesOf(orderId)).length).toBeLessThan(3);
    const { work } = deployment.runtime;
    expect(await work.finish('closing', orderId), 'not complete yet').toBe(false);
    await work.runTask('closing', orderId, 0);
    expect(await work.finish('closing', orderId)).toBe(true);
    expect(await noticesOf(orderId)).toHaveLength(3);
    expect(await statesOf(orderId)).toEqual(['Closed', 'Closed', 'Closed']);
  });
});

it('the names of notices begin with their order, which no other order begins with', async () => {
  const { orderId } = await told(1);
  const { sort } = (await noticesOf(orderId))[0]!;
  expect(ledgerKeys.notice(sort).sort.split('#')[0]).toBe(orderId);
});
