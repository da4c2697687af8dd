import { expect, it } from 'vitest';
import { SharedTurns } from '../../shared/service/turns.ts';

it('those who wait for the same name are served by one piece of work', async () => {
  const turns = new SharedTurns<number>();
  const asked: number[] = [];
  let made = 0;
  const work = async (waiting: number) => {
    await undefined;
    asked.push(waiting);
    return Array.from({ length: Math.min(waiting, 3) }, () => made++);
  };
  const served = await Promise.all(Array.from({ length: 6 }, () => turns.take('order', work)));
  expect(served).toEqual([0, 1, 2, 3, 4, 5]);
  expect(asked).toEqual([1, 5, 2]);
  expect(await turns.take('order', work)).toBe(6);
});

it('where a piece of work has nothing nobody waits on, and what it throws each of them gets', async () => {
  const turns = new SharedTurns<number>();
  const none = async () => [];
  expect(await Promise.all([turns.take('a', none), turns.take('a', none)])).toEqual([undefined, undefined]);
  const fails = () => Promise.reject(new Error('lost'));
  const both = await Promise.allSettled([turns.take('b', fails), turns.take('b', fails)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
