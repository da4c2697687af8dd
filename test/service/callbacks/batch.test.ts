import type { SQSRecord } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { deliver } from '../../../lambdas/notify/deliver.ts';
import type { Item } from '../../../shared/ledger/ledger.ts';
import { attempt } from '../../../shared/notify/attempt.ts';
import { callsOf } from '../../../shared/notify/calls.ts';
import { LedgerNotifier } from '../../../shared/notify/ledger-notifier.ts';
import { sweepOutbox } from '../../../shared/notify/outbox.ts';
import { postCallbacks } from '../../../shared/notify/post.ts';
import type { CallbackContext } from '../../../shared/service/callbacks/callback-context.ts';
import { CallbackCourier } from '../../../shared/service/callbacks/courier.ts';
import { callOfNotice, ledgerKeys } from '../../../shared/service/records/keys.ts';
import { noticeMessage, noticeRecord } from '../../../shared/service/records/notice.ts';
import { noticeWrite } from '../../../shared/service/reports/notices.ts';
import { verifyCallback } from '../../../sim/index.ts';
import { count } from '../../support/counts.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { dyingAt } from '../../support/dying-ledger.ts';
import { effort } from '../../support/effort.ts';
import { waitingNotices } from '../../support/notices.ts';
import { prepare } from '../scenario.ts';
import { Receiver } from './receiver.ts';

interface Notice {
  readonly header: { readonly functionCallIdentifier: string };
  readonly iccid: string;
}
interface BatchBody {
  readonly header: { readonly functionRequesterIdentifier: string; readonly functionCallIdentifier: string };
  readonly orderId: string;
  readonly notifications: readonly Notice[];
}

let deployment: Deployment;
let receiver: Receiver;
const ahead = 0;
const now = () => Date.now() + ahead;
let made = 0;
/** Its notices are those of all tests. */
const orderId = 'BATCH';
/** Milliseconds that a call may take, and where one is not answered in time. */
const PATIENCE_MS = 20_000;
const IMPATIENCE_MS = 150;
/** Octets of an answer that comes slowly, so many of them in that time. */
let drips = 0;
const IN_TIME = 10;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { notifier: 'none:' }, now });
  receiver = await Receiver.start();
  await prepare(deployment, orderId, 1, { callbackUrl: receiver.url, callbackCa: receiver.ca });
});
afterAll(async () => {
  await receiver.stop();
  await deployment.close();
});
beforeEach(async () => {
  for (const notice of await left())
    await context().ledger.write({ remove: notice, when: { revision: notice.revision } });
  receiver.received.length = 0;
  receiver.answer = 204;
  receiver.respond = undefined;
});

const context = (): CallbackContext => deployment.runtime.context;
const courierOf = (own = context(), patienceMs = PATIENCE_MS) =>
  new CallbackCourier(own, postCallbacks('ifpp-draft/v1.0.0', own.settings.destinations, patienceMs));

/** Notices of so many profiles, of which so many may go in one call. */
async function told(profiles: number, callbackBatch = 100) {
  const url = receiver.url;
  const at = now();
  for (let n = 0; n < profiles; n++) {
    const record = { state: 'Installed', iccid: `893311000000000${1_000 + n}`, at } as const;
    const id = `${String(n).padStart(32, '0')}-1`;
    await context().ledger.write(
      noticeWrite({ id, orderId, url, batch: callbackBatch, caller: '2.999.10', record }),
    );
  }
  return await left();
}

const left = () => waitingNotices(context().ledger, `${orderId}#`);
const port = (own = context(), patienceMs = PATIENCE_MS) => ({
  ledger: own.ledger,
  courier: courierOf(own, patienceMs),
  now,
});
const attemptAll = async (notices: readonly Item[], own = context(), patienceMs = PATIENCE_MS) => {
  const outcomes = [];
  for (const call of callsOf(notices)) outcomes.push(...(await attempt(port(own, patienceMs), call)));
  return outcomes;
};

const bodyOf = (octets: Buffer) => JSON.parse(octets.toString()) as BatchBody;
const callsIn = (octets: Buffer) =>
  bodyOf(octets).notifications.map(({ header }) => header.functionCallIdentifier);
const contentOf = (notice: Item) => noticeRecord.from(notice).content;

/** Takes none of a call that has this notice, as a receiver does whose parser fails on it. */
const chokesOn =
  (notice: Item) => (octets: Buffer, response: Parameters<NonNullable<Receiver['respond']>>[1]) =>
    void response.writeHead(callsIn(octets).includes(callOfNotice(notice.sort)) ? 400 : 204).end();

describe('callbacks that go together', { tags: ['DPFF07'] }, () => {
  it('are one signed call with each of them octet by octet as it would go alone', async () => {
    const notices = await told(5);
    expect(callsOf(notices)).toHaveLength(1);
    expect(await attemptAll(notices)).toEqual(notices.map(() => ({ kind: 'taken' })));
    expect(await left()).toEqual([]);
    const [{ octets, headers, client }] = receiver.received as [Receiver['received'][number]];
    expect(client).toBeDefined();
    const { deliveryKeys } = await deployment.runtime.services.orders.getServerKeys(OPERATOR);
    const keys = deliveryKeys as Parameters<typeof verifyCallback>[2]['deliveryKeys'];
    const jws = String(headers['x-jws-signature']);
    const { jti } = await verifyCallback(octets, jws, { url: receiver.url, deliveryKeys: keys });
    const { header, orderId: about } = bodyOf(octets);
    expect(header).toEqual({ functionRequesterIdentifier: '2.999.10', functionCallIdentifier: jti });
    expect(about).toBe(orderId);
    expect(octets.toString()).toContain(`"notifications":[${notices.map(contentOf).join(',')}]}`);
    const changed = Buffer.from(octets.toString().replace('Installed', 'Failed'));
    await expect(verifyCallback(changed, jws, { url: receiver.url, deliveryKeys: keys })).rejects.toThrow(
      'does not hold over this body',
    );
  });

  it('are so many as the order says and one body holds, of one order, in their order', async () => {
    const notice = (orderId: string, n: number, octets: number, batch?: number): Item => ({
      ...ledgerKeys.notice(`${orderId}#${String(n).padStart(8, '0')}-1`),
      revision: 1,
      attributes: noticeRecord.to({
        orderId,
        url: 'https://operator.example.com/',
        content: JSON.stringify('x'.repeat(octets)),
        createdAt: 0,
        attempts: 0,
        dueAt: 0,
        ...(batch !== undefined && { batch }),
      }),
    });
    const sizes = (notices: readonly Item[]) => callsOf(notices).map(({ length }) => length);
    const of = (orderId: string, many: number, octets: number, batch?: number) =>
      Array.from({ length: many }, (_, n) => notice(orderId, n, octets, batch));
    expect(sizes(of('A', 250, 700, 100))).toEqual([100, 100, 50]);
    expect(sizes(of('A', 5, 700, 2))).toEqual([2, 2, 1]);
    expect(sizes(of('A', 3, 700))).toEqual([1, 1, 1]);
    // 256 KB hold 25 of 10 KB
    expect(sizes(of('A', 30, 10_000, 100))).toEqual([26, 4]);
    expect(sizes(of('A', 2, 300_000, 100))).toEqual([1, 1]);
    const mixed = [...of('A', 3, 700, 100), ...of('B', 2, 700, 100), ...of('C', 2, 700)];
    const calls = callsOf(mixed).map((call) => call.map(({ sort }) => sort));
    expect(calls.map((call) => new Set(call.map((sort) => sort.split('#')[0])).size)).toEqual([1, 1, 1, 1]);
    expect(calls.flat()).toEqual(mixed.map(({ sort }) => sort));
  });

  it('come again alone where the answer names them; all others are taken', async () => {
    const notices = await told(5);
    const refused = [notices[1]!, notices[3]!].map(({ sort }) => callOfNotice(sort));
    receiver.respond = (_, response) => void response.writeHead(200).end(JSON.stringify({ refused }));
    const outcomes = await attemptAll(notices);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['taken', 'delayed', 'taken', 'delayed', 'taken']);
    const waiting = await left();
    expect(waiting.map(({ sort }) => callOfNotice(sort))).toEqual(refused);
    for (const notice of waiting)
      expect(noticeRecord.from(notice)).toMatchObject({
        attempts: 1,
        batch: 100,
        reason: 'the callback server refused it by its name, and took others of the call',
      });
    receiver.respond = undefined;
    await attemptAll(waiting);
    expect(callsIn(receiver.received[1]!.octets)).toEqual(refused);
    expect(await left()).toEqual([]);
  });

  it.each<[string, NonNullable<Receiver['respond']>]>([
    ['with text', (_, response) => void response.writeHead(200).end('OK')],
    ['with a list', (_, response) => void response.writeHead(200).end('[]')],
    ['with null', (_, response) => void response.writeHead(200).end('null')],
    ['with what is no list', (_, response) => void response.writeHead(200).end('{"refused":"all"}')],
    [
      'with a name that was not in it',
      (_, response) => void response.writeHead(200).end('{"refused":["00-1"]}'),
    ],
    ['with no names', (_, response) => void response.writeHead(200).end('{"refused":[7,null]}')],
    ['with more than a list of names', (_, response) => void response.writeHead(200).end(' '.repeat(70_000))],
    ['with half a list', (_, response) => void response.writeHead(200).end('{"refused":["')],
    [
      'and broken off',
      (_, response) => {
        response.writeHead(200, { 'content-length': 20 }).write('{"refused":');
        setTimeout(() => response.destroy(), 20);
      },
    ],
    [
      'too slowly, octet by octet',
      (_, response) => {
        response.writeHead(200);
        const drip = setInterval(() => {
          drips += 1;
          response.write(' ');
        }, IMPATIENCE_MS / IN_TIME);
        response.on('close', () => clearInterval(drip));
      },
    ],
    ['not at all', () => undefined],
    ['by a proxy', (_, response) => void response.writeHead(502).end()],
  ])('answered %s are not taken, and come again together', async (what, respond) => {
    const notices = await told(3);
    receiver.respond = respond;
    const patienceMs = /slowly|not at all/.test(what) ? IMPATIENCE_MS : PATIENCE_MS;
    expect((await attemptAll(notices, context(), patienceMs)).map(({ kind }) => kind)).toEqual([
      'delayed',
      'delayed',
      'delayed',
    ]);
    // one octet after the other does not hold the call for longer
    expect(drips).toBeLessThanOrEqual(4 * IN_TIME);
    for (const notice of await left()) {
      const { reason = '', attempts, batch } = noticeRecord.from(notice);
      expect({ attempts, batch }).toEqual({ attempts: 1, batch: 100 });
      // nothing that the receiver wrote
      expect(reason).toMatch(/^the (answer to the )?callback /);
    }
    receiver.respond = (_octets, response) => void response.writeHead(200).end('{ "refused": [] }');
    await attemptAll(await left());
    expect(await left()).toEqual([]);
    const calls = receiver.received.map(({ octets }) => bodyOf(octets).header.functionCallIdentifier);
    expect(calls).toEqual([calls[0], calls[0]]);
  });

  it('are not stopped by one that the receiver fails on: halves of the call go by themselves', async () => {
    const notices = await told(20);
    receiver.respond = chokesOn(notices[7]!);
    let rounds = 0;
    for (; (await left()).length > 1; rounds++) await attemptAll(await left());
    // 20, 10, 5, 3, 2, 1
    expect(rounds).toBeLessThanOrEqual(6);
    expect((await left()).map(({ sort }) => sort)).toEqual([notices[7]!.sort]);
  });

  it('survive a death at any call of the ledger: none is lost, each the same each time', async () => {
    const deaths = effort({ short: 8, long: 40 });
    for (let call = 1; call <= deaths; call++) {
      const notices = await told(4);
      receiver.received.length = 0;
      // the second is refused at first, so that both ways are died on
      const refused = [callOfNotice(notices[1]!.sort)];
      receiver.respond = (octets, response) =>
        void response.writeHead(200).end(
          JSON.stringify({
            refused:
              receiver.received.length < 2 ? refused.filter((one) => callsIn(octets).includes(one)) : [],
          }),
        );
      for (const die of [call, undefined, undefined, undefined]) {
        const own = die === undefined ? context() : { ...context(), ledger: dyingAt(context().ledger, die) };
        await attemptAll(await left(), own).catch(() => undefined);
      }
      expect(await left(), `death at call ${call}`).toEqual([]);
      const seen = receiver.received.map(({ octets }) => octets.toString());
      for (const notice of notices) expect(seen.some((body) => body.includes(contentOf(notice)))).toBe(true);
      const ids = new Set(receiver.received.flatMap(({ octets }) => callsIn(octets)));
      expect(ids.size, 'known by their identifiers').toBe(notices.length);
      count('crashes', 1);
    }
  });

  it('of one profile go one after the other on the embedded server, and wait for the one that is refused', async () => {
    const notices = await told(3);
    const record = { state: 'Deleted', iccid: '8933110000000001000', at: now() } as const;
    const id = `${'0'.repeat(32)}-2`;
    const more = { orderId, url: receiver.url, batch: 100, caller: '2.999.10', record };
    await context().ledger.write(noticeWrite({ id, ...more }));
    const first = callOfNotice(notices[0]!.sort);
    let refusals = 2;
    receiver.respond = (octets, response) => {
      const refused = callsIn(octets).includes(first) && refusals-- > 0 ? [first] : [];
      response.writeHead(200).end(JSON.stringify({ refused }));
    };
    const parked: string[] = [];
    const delayed: string[] = [];
    const notifier = new LedgerNotifier({
      ...port(),
      onParked: (name) => parked.push(name),
      onDelayed: (name) => delayed.push(name),
      schedule: { firstPauseMs: 5, longestPauseMs: 20, attempts: 9 },
      pollMs: 20,
    });
    try {
      notifier.wake();
      await vi.waitFor(async () => expect(await left()).toEqual([]), { timeout: 30_000 });
    } finally {
      await notifier.close();
    }
    const calls = receiver.received.map(({ octets }) => callsIn(octets));
    expect(calls).toEqual([notices.map(({ sort }) => callOfNotice(sort)), [first], [first], [id]]);
    // told by notices, not by calls
    expect(delayed).toEqual([notices[0]!.sort, notices[0]!.sort]);
    expect(parked).toEqual([]);
  });

  it('are one message of the queue on AWS, which comes again for those that were not taken', async () => {
    const notices = await told(5, 3);
    const messages: (readonly string[])[] = [];
    await sweepOutbox(context().ledger, async (calls) => void messages.push(...calls), now);
    const own = messages.filter(([name = '']) => name.startsWith(`${orderId}#`));
    expect(own.map(({ length }) => length)).toEqual([3, 2]);
    expect(own.flat()).toEqual(notices.map(({ sort }) => sort));
    const postponed: number[] = [];
    const lines: unknown[] = [];
    const take = (names: readonly string[]) =>
      deliver(
        {
          ...port(),
          queue: { send: async () => undefined, postpone: async (_, waitMs) => void postponed.push(waitMs) },
          log: (line) => lines.push(line),
        },
        { Records: [recordOf(names)] },
      );
    const refused = [callOfNotice(notices[2]!.sort)];
    receiver.respond = (_, response) => void response.writeHead(200).end(JSON.stringify({ refused }));
    expect((await take(own[0]!)).batchItemFailures).toHaveLength(1);
    expect(postponed).toEqual([1_000]);
    expect(lines).toEqual([
      expect.objectContaining({ event: 'notice.delayed', id: notices[2]!.sort, attempts: 1 }),
    ]);
    receiver.respond = undefined;
    expect((await take(own[0]!)).batchItemFailures).toEqual([]);
    expect((await take(own[1]!)).batchItemFailures).toEqual([]);
    expect(receiver.received.map(({ octets }) => callsIn(octets).length)).toEqual([3, 1, 2]);
    expect(await left()).toEqual([]);
  });

  it('on AWS, those that are due go, and those that are not wait for their time', async () => {
    const notices = await told(3);
    const later = notices[0]!;
    const attributes = noticeRecord.to({ ...noticeRecord.from(later), dueAt: now() + 60_000 });
    await context().ledger.write({ put: later, attributes, when: { revision: later.revision } });
    const postponed: number[] = [];
    const queue = {
      send: async () => undefined,
      postpone: async (_: string, waitMs: number) => void postponed.push(waitMs),
    };
    const event = { Records: [recordOf(notices.map(({ sort }) => sort))] };
    const answer = await deliver({ ...port(), queue, log: () => undefined }, event);
    expect(answer.batchItemFailures).toHaveLength(1);
    expect(postponed[0]).toBeGreaterThan(50_000);
    expect((await left()).map(({ sort }) => sort)).toEqual([later.sort]);
  });

  it('are refused in an order that has no callbackUrl, or asks for none or for more than a hundred', async () => {
    const url = { callbackUrl: receiver.url };
    for (const more of [
      { callbackBatch: 5 },
      { ...url, callbackBatch: 0 },
      { ...url, callbackBatch: 101 },
      { ...url, callbackBatch: 1.5 },
    ])
      await expect(prepare(deployment, `WRONG-${made++}`, 1, more)).rejects.toMatchObject({
        code: 'orderInvalid',
      });
  });

  it('are told of by the order whose profiles are closed', async () => {
    await prepare(deployment, 'CLOSES', 3, {
      callbackUrl: receiver.url,
      callbackCa: receiver.ca,
      callbackBatch: 10,
    });
    await deployment.runtime.services.orders.closeOrder(OPERATOR, { orderId: 'CLOSES' });
    expect(callsOf(await waitingNotices(context().ledger, 'CLOSES#')).map(({ length }) => length)).toEqual([
      3,
    ]);
  });
});

const recordOf = (notices: readonly string[]) =>
  ({
    messageId: notices.join(),
    receiptHandle: 'handle',
    body: JSON.stringify(noticeMessage.to({ notices })),
    attributes: { ApproximateReceiveCount: '1' },
  }) as SQSRecord;
