import type { SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deliver } from '../../lambdas/notify/deliver.ts';
import { Fault } from '../../shared/errors.ts';
import type { Item, Ledger } from '../../shared/ledger/ledger.ts';
import { openLedger } from '../../shared/ledger/open.ts';
import type { Courier } from '../../shared/notify/notifier.ts';
import { deliverNotices, sweepOutbox } from '../../shared/notify/outbox.ts';
import { SCHEDULE } from '../../shared/notify/schedule.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { type NoticeMessage, noticeMessage, noticeRecord } from '../../shared/service/records/notice.ts';

let ledger: Ledger;
let now = 1_000;
const queued: string[] = [];
const enqueue = async (calls: readonly (readonly string[])[]) => void queued.push(...calls.flat());

beforeEach(async () => {
  ledger = await openLedger('sqlite::memory:');
  queued.length = 0;
  now = 1_000;
});
afterEach(() => ledger.close());

const wait = (id: string) =>
  ledger.write({
    put: ledgerKeys.notice(id),
    attributes: noticeRecord.to({
      orderId: 'ORD-1',
      url: 'https://operator.example/',
      content: JSON.stringify({ iccid: id }),
      createdAt: 0,
      dueAt: 0,
      attempts: 0,
    }),
    when: 'absent',
  });

type Post = (notice: Item) => Promise<void>;
const courierOf = (post: Post): Courier => ({
  prepare: async ([notice]) => ({
    post: async () => {
      await post(notice!);
      return new Set();
    },
  }),
});
const port = (post: Post) => ({ ledger, courier: courierOf(post), now: () => now });
const deliverNotice = async (at: ReturnType<typeof port>, name: string) =>
  (await deliverNotices(at, [name])).get(name);

const record = (message: NoticeMessage | string, attempts = 1) =>
  ({
    messageId: JSON.stringify(message),
    receiptHandle: 'handle',
    body: typeof message === 'string' ? message : JSON.stringify(noticeMessage.to(message)),
    attributes: { ApproximateReceiveCount: String(attempts) },
  }) as SQSRecord;

it('the outbox queues each waiting notice once, and again after a day', async () => {
  await wait('a');
  await wait('b');
  expect(await sweepOutbox(ledger, enqueue, () => now)).toBe(2);
  expect(await sweepOutbox(ledger, enqueue, () => now)).toBe(0);
  now += 24 * 3_600_000;
  expect(await sweepOutbox(ledger, enqueue, () => now)).toBe(2);
  expect(queued).toEqual(['a', 'b', 'a', 'b']);
});

it('a notice that the queue did not take is queued by the next sweep', async () => {
  await wait('a');
  await expect(
    sweepOutbox(
      ledger,
      () => Promise.reject(new Error('down')),
      () => now,
    ),
  ).rejects.toThrow('down');
  expect(await sweepOutbox(ledger, enqueue, () => now)).toBe(1);
});

it('the outbox takes a notice out of the ledger only once it was taken, and posts none that is gone', async () => {
  await wait('a');
  const posted: Item[] = [];
  const refused = port(() => Promise.reject(new Fault('notifier', '503')));
  expect(await deliverNotice(refused, 'a')).toEqual({
    kind: 'delayed',
    attempts: 1,
    reason: '503',
    waitMs: 1_000,
  });
  expect((await ledger.get(ledgerKeys.notice('a')))?.attributes).toMatchObject({
    attempts: 1,
    reason: '503',
  });
  const carry = async (notice: Item) => {
    // the sweeper marks it in the meantime
    await sweepOutbox(ledger, enqueue, () => now);
    posted.push(notice);
  };
  await deliverNotice(port(carry), 'a');
  await deliverNotice(port(carry), 'a');
  expect(posted.map(({ sort }) => sort)).toEqual(['a']);
  expect(await ledger.get(ledgerKeys.notice('a'))).toBeUndefined();
});

it('the outbox gives back what failed of a batch, later each time, and nothing else', async () => {
  await wait('good');
  await wait('bad');
  const postponed: number[] = [];
  const lines: unknown[] = [];
  const answer = await deliver(
    {
      ledger,
      queue: {
        send: enqueue,
        postpone: async (_handle, waitMs) => void postponed.push(waitMs),
      },
      courier: courierOf(async ({ sort }) => {
        if (sort === 'bad') throw new Fault('notifier', 'the callback was answered with HTTP 503');
      }),
      now: () => now,
      log: (line) => lines.push(line),
    },
    {
      Records: [
        record({ notices: ['good'] }),
        record({ notices: ['bad'] }, 3),
        record('no JSON'),
        record({ notices: [] }),
      ],
    },
  );
  expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual([
    JSON.stringify({ notices: ['bad'] }),
    '"no JSON"',
  ]);
  expect(postponed).toEqual([1_000, 1_000]);
  expect(lines).toContainEqual(
    expect.objectContaining({ id: 'bad', attempts: 1, reason: 'the callback was answered with HTTP 503' }),
  );
  expect(queued).toContain('bad');
});

it('the outbox parks a notice on AWS as embedded, when its attempts are spent, and takes its message', async () => {
  await wait('a');
  const item = await ledger.get(ledgerKeys.notice('a'));
  const url = 'https://user:secret@operator.example:8443/hooks/secret?token=secret#secret';
  const attributes = noticeRecord.to({ ...noticeRecord.from(item!), url, attempts: SCHEDULE.attempts - 1 });
  await ledger.write({ put: item!, attributes, when: { revision: item!.revision } });
  const lines: unknown[] = [];
  const answer = await deliver(
    {
      ledger,
      queue: { send: enqueue, postpone: () => Promise.reject(new Error('not postponed')) },
      courier: courierOf(() => Promise.reject(new Fault('notifier', 'HTTP 503'))),
      now: () => now,
      log: (line) => lines.push(line),
    },
    { Records: [record({ notices: ['a'] }, 2)] },
  );
  expect(answer.batchItemFailures).toEqual([]);
  // of the URL what tells the server, and no password that it may have
  expect(lines).toEqual([
    { event: 'notice.parked', id: 'a', url: 'https://operator.example:8443', reason: 'HTTP 503' },
  ]);
  expect(await ledger.get(ledgerKeys.notice('a'))).toBeUndefined();
  expect((await ledger.get(ledgerKeys.parkedNotice('a')))?.attributes).toMatchObject({
    attempts: SCHEDULE.attempts,
    parkedAt: now,
  });
});
