import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Priority, QuotaQueue } from '../../../shared/keys/awskms/quota-queue.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function queueFor(perSecond: number, interactiveShare: number): QuotaQueue {
  return new QuotaQueue({ perSecond, interactiveShare }, () => Date.now());
}

/** Asks for `count` calls at once and counts those let through. */
function ask(from: QuotaQueue, priority: Priority, count: number): () => number {
  let granted = 0;
  for (let call = 0; call < count; call += 1) {
    from.take(priority).then(() => {
      granted += 1;
    });
  }
  return () => granted;
}

test('the quota queue of KMS: bulk calls leave the reserved share alone', async () => {
  const bulk = ask(queueFor(1000, 0.2), 'bulk', 20_000);
  await vi.advanceTimersByTimeAsync(10_000);
  // 800 a second, and the burst of a quarter of a second
  expect(bulk()).toBeGreaterThan(8_000 - 10);
  expect(bulk()).toBeLessThanOrEqual(8_000 + 200);
});

test('the quota queue of KMS: interactive calls may use the whole rate, which both together never exceed', async () => {
  const limit = queueFor(1000, 0.2);
  const interactive = ask(limit, 'interactive', 5_000);
  const bulk = ask(limit, 'bulk', 50_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(interactive()).toBe(5_000);
  // interactive calls took the first five seconds; bulk calls have 800 of each second left
  expect(bulk()).toBeGreaterThan(4_300);
  expect(interactive() + bulk()).toBeLessThanOrEqual(10_000 + 250);
});

test('the quota queue of KMS: an interactive call does not wait behind a queue of bulk calls', async () => {
  const limit = queueFor(100, 0.1);
  ask(limit, 'bulk', 10_000);
  await vi.advanceTimersByTimeAsync(5_000);
  const interactive = ask(limit, 'interactive', 1);
  await vi.advanceTimersByTimeAsync(10);
  expect(interactive()).toBe(1);
});

test('the quota queue of KMS: calls of a class go out in the order in which they came', async () => {
  const limit = queueFor(50, 0);
  const order: number[] = [];
  for (let call = 0; call < 100; call += 1) limit.take('bulk').then(() => order.push(call));
  await vi.advanceTimersByTimeAsync(2_000);
  expect(order).toEqual(Array.from({ length: 100 }, (_, call) => call));
});

test('the quota queue of KMS: a rate below one per second still lets calls through', async () => {
  const bulk = ask(queueFor(0.5, 0), 'bulk', 3);
  await vi.advanceTimersByTimeAsync(4_100);
  expect(bulk()).toBe(3);
});

test.each([
  [0, 0],
  [-1, 0],
  [Number.NaN, 0],
  [1, 1],
  [1, -0.1],
])('the quota queue of KMS: a limit of %d per second with share %d is refused', (perSecond, share) => {
  expect(() => queueFor(perSecond, share)).toThrow(RangeError);
});
