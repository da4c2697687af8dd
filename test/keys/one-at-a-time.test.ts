import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { oneAtATime } from '../../shared/keys/one-at-a-time.ts';

it('keys of softkey files are derived one after the other, also after one that failed', async () => {
  let [underWay, most] = [0, 0];
  const derive = (outcome: () => number) =>
    oneAtATime(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await delay(5);
      underWay -= 1;
      return outcome();
    });
  const fails = () => {
    throw new Error('out of memory');
  };
  const all = await Promise.allSettled([derive(() => 1), derive(fails), derive(() => 3)]);
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(most).toBe(1);
});

it('a thread waits for another one', async () => {
  const ended = new Int32Array(new SharedArrayBuffer(4));
  const module = new URL('../../shared/keys/one-at-a-time.ts', import.meta.url);
  const thread = new Worker(
    `const { parentPort, workerData: { module, ended } } = require('node:worker_threads');
     import(module).then(({ oneAtATime }) => {
       const derived = oneAtATime(async () => Atomics.load(ended, 0));
       parentPort.postMessage('asked');
       return derived.then((seen) => parentPort.postMessage(seen));
     });`,
    { eval: true, workerData: { module: module.href, ended } },
  );
  await oneAtATime(async () => {
    expect(await once(thread, 'message')).toEqual(['asked']);
    await delay(20);
    Atomics.store(ended, 0, 1);
  });
  expect(await once(thread, 'message')).toEqual([1]);
  await thread.terminate();
});
