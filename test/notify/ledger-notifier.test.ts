import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fault } from '../../shared/errors.ts';
import type { Ledger } from '../../shared/ledger/ledger.ts';
import { openLedger } from '../../shared/ledger/open.ts';
import { type Carrier, httpCarrier, LedgerNotifier } from '../../shared/notify/ledger-notifier.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { noticeRecord } from '../../shared/service/records/notice.ts';
import { CallbackServer } from '../../sim/index.ts';

const URL = 'http://127.0.0.1:9/';

let ledger: Ledger;
let notifiers: LedgerNotifier[];
let parked: { id: string; reason: string }[];
let delayed: string[];

beforeEach(async () => {
  ledger = await openLedger('sqlite::memory:');
  notifiers = [];
  parked = [];
  delayed = [];
});

afterEach(async () => {
  await Promise.all(notifiers.map((notifier) => notifier.close()));
  await ledger.close();
});

const put = (id: string, more: { url?: string; dueAt?: number } = {}) =>
  ledger.write({
    put: ledgerKeys.notice(id),
    attributes: noticeRecord.to({
      url: URL,
      attempts: 0,
      dueAt: 0,
      body: { header: { functionCallIdentifier: id } },
      ...more,
    }),
    when: 'absent',
  });

function notifierWith(carry: Carrier, attempts = 3): LedgerNotifier {
  const notifier = new LedgerNotifier({
    ledger,
    carry,
    now: Date.now,
    onDelayed: ({ id }, attempts, reason) => delayed.push(`${id} ${attempts} ${reason}`),
    onParked: ({ id }, reason) => parked.push({ id, reason }),
    retryMs: 5,
    attempts,
    pollMs: 50,
  });
  notifiers.push(notifier);
  return notifier;
}

const waiting = async () => (await ledger.query('notices')).items.map(({ sort }) => sort);

describe('the embedded notifier', () => {
  it('carries what waits and forgets what was taken', async () => {
    const taken: string[] = [];
    await put('a-1');
    await put('b-1');
    notifierWith(async ({ id, url, body }) => {
      taken.push(id);
      expect({ url, body }).toEqual({ url: URL, body: { header: { functionCallIdentifier: id } } });
    }).wake();
    await vi.waitFor(async () => expect(await waiting()).toEqual([]));
    expect(taken.sort()).toEqual(['a-1', 'b-1']);
  });

  it('finds by itself what nobody woke it for', async () => {
    const taken: string[] = [];
    notifierWith(async ({ id }) => void taken.push(id)).wake();
    await put('late-1');
    await vi.waitFor(() => expect(taken).toEqual(['late-1']));
  });

  it('tries again with growing pauses until the notice is taken', async () => {
    const times: number[] = [];
    await put('a-1');
    notifierWith(async () => {
      times.push(Date.now());
      if (times.length < 3) throw new Fault('notifier', 'HTTP 503');
    }).wake();
    await vi.waitFor(() => expect(delayed).toEqual(['a-1 1 HTTP 503', 'a-1 2 HTTP 503']));
    await vi.waitFor(async () => expect(await waiting()).toEqual([]));
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
    await vi.waitFor(() => expect(parked).toEqual([{ id: 'a-1', reason: 'HTTP 503' }]));
    expect(calls).toBe(3);
    expect(await waiting()).toEqual([]);
    const { items } = await ledger.query('notices-parked');
    expect(items).toMatchObject([
      { sort: 'a-1', attributes: { url: URL, attempts: 3, reason: 'HTTP 503', body: { header: {} } } },
    ]);
  });

  it('tells of one profile in order: what comes later waits for what failed, other profiles do not', async () => {
    const taken: string[] = [];
    for (const id of ['p-1', 'p-2', 'p-3', 'q-1']) await put(id);
    let failures = 2;
    notifierWith(async ({ id }) => {
      if (id === 'p-1' && failures-- > 0) throw new Fault('notifier', 'HTTP 503');
      taken.push(id);
    }).wake();
    await vi.waitFor(async () => expect(await waiting()).toEqual([]));
    expect(taken).toEqual(['q-1', 'p-1', 'p-2', 'p-3']);
  });

  it('goes on with the next notice of a profile when one of it is parked', async () => {
    const taken: string[] = [];
    for (const id of ['p-1', 'p-2']) await put(id);
    notifierWith(async ({ id }) => {
      if (id === 'p-1') throw new Error('HTTP 500');
      taken.push(id);
    }).wake();
    await vi.waitFor(async () => expect(await waiting()).toEqual([]));
    expect(taken).toEqual(['p-2']);
    expect(parked.map(({ id }) => id)).toEqual(['p-1']);
  });

  it('leaves to the next start what was not taken', async () => {
    await put('a-1');
    const first = notifierWith(() => Promise.reject(new Fault('notifier', 'HTTP 503')), 1_000);
    first.wake();
    const attemptsOf = async () => Number((await ledger.get(ledgerKeys.notice('a-1')))!.attributes.attempts);
    await vi.waitFor(async () => expect(await attemptsOf()).toBeGreaterThan(0));
    await first.close();
    const attempts = await attemptsOf();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await attemptsOf(), 'a closed notifier rests').toBe(attempts);
    const taken: string[] = [];
    notifierWith(async ({ id }) => void taken.push(id)).wake();
    await vi.waitFor(() => expect(taken).toEqual(['a-1']));
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
    await vi.waitFor(() => expect(started).toHaveBeenCalled());
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

  it('survives a ledger that is out of reach for a while', async () => {
    const taken: string[] = [];
    await put('a-1');
    const query = vi.spyOn(ledger, 'query').mockRejectedValueOnce(new Error('busy'));
    notifierWith(async ({ id }) => void taken.push(id)).wake();
    await vi.waitFor(() => expect(taken).toEqual(['a-1']));
    expect(query.mock.calls.length).toBeGreaterThan(1);
  });
});

describe('the carrier of notices', () => {
  const carry = httpCarrier('ifpp-draft/v1.0.0');

  it('posts JSON, and takes 2xx alone for an answer', async () => {
    const server = await CallbackServer.start({ failFirst: 1 });
    const { url } = server;
    try {
      const notice = { id: 'a-1', url, body: { profileState: 'Installed' } };
      await expect(carry(notice)).rejects.toThrow('HTTP 503');
      await carry(notice);
      expect(server.received).toEqual([{ profileState: 'Installed' }]);
      await expect(carry({ ...notice, url: `${url}/elsewhere` })).rejects.toThrow('HTTP 404');
    } finally {
      await server.stop();
    }
    await expect(carry({ id: 'a-1', url, body: {} })).rejects.toThrow(/ECONNREFUSED|hang up/);
  });
});
