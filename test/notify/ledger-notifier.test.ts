import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fault } from '../../shared/errors.ts';
import type { Ledger } from '../../shared/ledger/ledger.ts';
import { openLedger } from '../../shared/ledger/open.ts';
import { Destinations } from '../../shared/net/destinations.ts';
import { LedgerNotifier } from '../../shared/notify/ledger-notifier.ts';
import { postCallbacks } from '../../shared/notify/post.ts';
import { pauseAfter, SCHEDULE } from '../../shared/notify/schedule.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { noticeRecord } from '../../shared/service/records/notice.ts';
import { eventually } from '../support/eventually.ts';
import { waitingNotices } from '../support/notices.ts';

const URL = 'http://127.0.0.1:9/';

let ledger: Ledger;
let notifiers: LedgerNotifier[];
let parked: { id: string; reason: string }[];
let delayed: string[];
let troubles: string[];

beforeEach(async () => {
  ledger = await openLedger('sqlite::memory:');
  notifiers = [];
  parked = [];
  delayed = [];
  troubles = [];
});

afterEach(async () => {
  await Promise.all(notifiers.map((notifier) => notifier.close()));
  await ledger.close();
});

const put = (id: string, more: { url?: string; dueAt?: number } = {}) =>
  ledger.write({
    put: ledgerKeys.notice(id),
    attributes: noticeRecord.to({
      orderId: 'ORD-1',
      url: URL,
      createdAt: 0,
      attempts: 0,
      dueAt: 0,
      content: JSON.stringify({ header: { functionCallIdentifier: id } }),
      ...more,
    }),
    when: 'absent',
  });

/** What a notice says to whoever posts it. */
interface Posted {
  readonly id: string;
  readonly url: string;
  readonly content: string;
}

function notifierWith(
  post: (notice: Posted) => Promise<void>,
  attempts = 3,
  /** Before anything is posted. */
  sign: () => Promise<void> = async () => undefined,
): LedgerNotifier {
  const notifier = new LedgerNotifier({
    ledger,
    courier: {
      prepare: async ([item]) => {
        await sign();
        return {
          post: async () => {
            const { url, content } = noticeRecord.from(item!);
            await post({ id: item!.sort, url, content });
            return new Set();
          },
        };
      },
    },
    now: Date.now,
    onDelayed: (id, attempts, reason) => delayed.push(`${id} ${attempts} ${reason}`),
    onParked: (id, _url, reason) => parked.push({ id, reason }),
    onTrouble: (message) => troubles.push(message),
    schedule: { firstPauseMs: 5, longestPauseMs: 3_600_000, attempts },
    pollMs: 50,
  });
  notifiers.push(notifier);
  return notifier;
}

const waiting = async () => (await waitingNotices(ledger)).map(({ sort }) => sort);

describe('the embedded notifier', () => {
  it('carries what waits and forgets what was taken', async () => {
    const taken: string[] = [];
    await put('a-1');
    await put('b-1');
    notifierWith(async ({ id, url, content }) => {
      taken.push(id);
      expect({ url, body: JSON.parse(content) }).toEqual({
        url: URL,
        body: { header: { functionCallIdentifier: id } },
      });
    }).wake();
    await eventually(async () => expect(await waiting()).toEqual([]));
    expect(taken.sort()).toEqual(['a-1', 'b-1']);
  });

  it('finds by itself what nobody woke it for', async () => {
    const taken: string[] = [];
    notifierWith(async ({ id }) => void taken.push(id)).wake();
    await put('late-1');
    await eventually(() => expect(taken).toEqual(['late-1']));
  });

  it('tries again with growing pauses until the notice is taken', async () => {
    const times: number[] = [];
    await put('a-1');
    notifierWith(async () => {
      times.push(Date.now());
      if (times.length < 3) throw new Fault('notifier', 'HTTP 503');
    }).wake();
    await eventually(() => expect(delayed).toEqual(['a-1 1 HTTP 503', 'a-1 2 HTTP 503']));
    await eventually(async () => expect(await waiting()).toEqual([]));
    expect(times).toHaveLength(3);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(5);
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(10);
  });

  it('parks a notice after all attempts, with what it said and why', async () => {
    let calls = 0;
    await put('a-1');
    notifierWith(async () => {
      calls += 1;
      throw new Fault('notifier', 'HTTP 503');
    }).wake();
    await eventually(() => expect(parked).toEqual([{ id: 'a-1', reason: 'HTTP 503' }]));
    expect(calls).toBe(3);
    expect(await waiting()).toEqual([]);
    expect(await ledger.get(ledgerKeys.parkedNotice('a-1'))).toMatchObject({
      sort: 'a-1',
      attributes: { url: URL, attempts: 3, reason: 'HTTP 503', orderId: 'ORD-1' },
    });
  });

  it('tells of one profile in order: what comes later waits for what failed, other profiles do not', async () => {
    const taken: string[] = [];
    for (const id of ['p-1', 'p-2', 'p-3', 'q-1']) await put(id);
    let failures = 2;
    notifierWith(async ({ id }) => {
      if (id === 'p-1' && failures-- > 0) throw new Fault('notifier', 'HTTP 503');
      taken.push(id);
    }).wake();
    await eventually(async () => expect(await waiting()).toEqual([]));
    expect(taken).toEqual(['q-1', 'p-1', 'p-2', 'p-3']);
  });

  it('goes on with the next notice of a profile when one of it is parked', async () => {
    const taken: string[] = [];
    for (const id of ['p-1', 'p-2']) await put(id);
    notifierWith(async ({ id }) => {
      if (id === 'p-1') throw new Error('HTTP 500');
      taken.push(id);
    }).wake();
    await eventually(async () => expect(await waiting()).toEqual([]));
    expect(taken).toEqual(['p-2']);
    expect(parked.map(({ id }) => id)).toEqual(['p-1']);
  });

  it('leaves to the next start what was not taken', async () => {
    await put('a-1');
    const first = notifierWith(() => Promise.reject(new Fault('notifier', 'HTTP 503')), 1_000);
    first.wake();
    const attemptsOf = async () => Number((await ledger.get(ledgerKeys.notice('a-1')))!.attributes.attempts);
    await eventually(async () => expect(await attemptsOf()).toBeGreaterThan(0));
    await first.close();
    const attempts = await attemptsOf();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await attemptsOf(), 'a closed notifier rests').toBe(attempts);
    const taken: string[] = [];
    notifierWith(async ({ id }) => void taken.push(id)).wake();
    await eventually(() => expect(taken).toEqual(['a-1']));
  });

  it('waits at its close for the call under way', async () => {
    await put('a-1');
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const started = vi.fn(() => held);
    const notifier = notifierWith(started);
    notifier.wake();
    await eventually(() => expect(started).toHaveBeenCalled());
    let closed = false;
    const closing = notifier.close().then(() => {
      closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(closed).toBe(false);
    release();
    await closing;
    expect(await waiting()).toEqual([]);
  });

  it('counts no attempt while it cannot sign, and says so', async () => {
    const taken: string[] = [];
    await put('a-1');
    let failures = 2;
    notifierWith(
      async ({ id }) => void taken.push(id),
      1,
      async () => {
        if (failures-- > 0) throw new Fault('keyProvider', 'the HSM is out of reach');
      },
    ).wake();
    await eventually(() => expect(taken).toEqual(['a-1']));
    expect(parked).toEqual([]);
    expect(troubles).toEqual(['the HSM is out of reach', 'the HSM is out of reach']);
  });

  it('survives a ledger that is out of reach for a while', async () => {
    const taken: string[] = [];
    await put('a-1');
    const query = vi.spyOn(ledger, 'query').mockRejectedValueOnce(new Error('busy'));
    notifierWith(async ({ id }) => void taken.push(id)).wake();
    await eventually(() => expect(taken).toEqual(['a-1']));
    expect(query.mock.calls.length).toBeGreaterThan(1);
  });
});

describe('posting callbacks', () => {
  const post = postCallbacks('ifpp-draft/v1.0.0', new Destinations(['127.0.0.0/8']));
  const message = { content: '{"profileState":"Installed"}', jws: 'a..b' };

  it('takes any 2xx for an answer, and nothing else', async () => {
    let status = 200;
    const seen: unknown[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers['x-jws-signature'], request.headers['content-type']);
      request.resume().on('end', () => response.writeHead(status, { location: '/elsewhere' }).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    try {
      for (status of [200, 201, 202, 204, 299]) await post({ ...message, url });
      for (status of [300, 302, 307, 400, 401, 404, 500, 503])
        await expect(post({ ...message, url })).rejects.toThrow(`HTTP ${status}`);
      expect(seen.slice(0, 2)).toEqual(['a..b', 'application/json']);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    await expect(post({ ...message, url })).rejects.toThrow(/is out of reach \(ECONN/);
  });
});

it('waits for a second after the first attempt, twice as long after each, an hour at most, and parks after a day', () => {
  const pauses: number[] = [];
  for (let attempt = 1, pause = pauseAfter(1); pause !== undefined; pause = pauseAfter(++attempt))
    pauses.push(pause);
  expect(pauses.slice(0, 13).map((ms) => ms / 1000)).toEqual([
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600,
  ]);
  expect(new Set(pauses.slice(12))).toEqual(new Set([3_600_000]));
  expect(pauses).toHaveLength(SCHEDULE.attempts - 1);
  const hours = pauses.reduce((a, b) => a + b) / 3_600_000;
  expect(hours).toBeGreaterThan(24);
  expect(hours).toBeLessThan(25);
});
