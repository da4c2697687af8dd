import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { Fault } from '../../shared/errors.ts';
import type { WorkKind } from '../../shared/jobs/dispatcher.ts';
import { type Lane, TaskQueue, type TaskQueueOptions } from '../../shared/jobs/task-queue.ts';
import { present } from '../../shared/present.ts';
import { eventually } from '../support/eventually.ts';

const RETRY_MS = 5;

/** A queue on lanes that run `task`; `log` has what ran, in order. */
function queueOf(
  task: (name: string, attempt: number) => Promise<void> | void,
  options: Partial<Pick<TaskQueueOptions, 'attempts' | 'finish'>> & {
    lanes?: number;
    atOnce?: NonNullable<Lane['atOnce']>;
  } = {},
) {
  const log: string[] = [];
  const trouble: { task: number; givenUp: boolean; message: string }[] = [];
  const attempts = new Map<string, number>();
  const lane: Lane = {
    ...present({ atOnce: options.atOnce }),
    async run(kind: WorkKind, id: string, number: number) {
      const name = `${kind} ${id} ${number}`;
      attempts.set(name, (attempts.get(name) ?? 0) + 1);
      await task(name, attempts.get(name)!);
      log.push(name);
    },
    close: async () => undefined,
  };
  const queue = new TaskQueue({
    lanes: Array.from({ length: options.lanes ?? 1 }, () => lane),
    finish: options.finish ?? (async (kind, id) => void log.push(`finish ${kind} ${id}`)),
    onTrouble: (_work, number, error, givenUp) =>
      trouble.push({ task: number, givenUp, message: (error as Error).message }),
    retryMs: RETRY_MS,
    attempts: options.attempts ?? 3,
  });
  return { queue, log, trouble, attempts };
}

const job = (id: string, tasks: number) => ({ kind: 'job' as const, id, tasks });

describe('the embedded dispatcher', () => {
  it('runs every task and then finishes the work, once', async () => {
    const { queue, log } = queueOf(() => sleep(1), { lanes: 2 });
    await queue.submit(job('A', 5));
    await eventually(() => expect(log).toContain('finish job A'));
    expect(log.slice(0, -1).sort()).toEqual([0, 1, 2, 3, 4].map((n) => `job A ${n}`));
    await queue.close();
    expect(log).toHaveLength(6);
  });

  it('takes turns, so that a small job is not held up by a large one', async () => {
    const { queue, log } = queueOf(() => sleep(1));
    await queue.submit(job('large', 20));
    await queue.submit(job('small', 1));
    await eventually(() => expect(log).toContain('finish job small'));
    expect(log.indexOf('finish job small')).toBeLessThan(8);
    await queue.close();
  });

  it('runs work once of which it is told twice', async () => {
    const { queue, log } = queueOf(() => sleep(2));
    await queue.submit(job('A', 2));
    await queue.submit(job('A', 2));
    await eventually(() => expect(log).toContain('finish job A'));
    await queue.close();
    expect(log).toEqual(['job A 0', 'job A 1', 'finish job A']);
  });

  it('tries a failed task again, waiting longer each time', async () => {
    const times: number[] = [];
    const { queue, log, trouble } = queueOf((_, attempt) => {
      times.push(performance.now());
      if (attempt < 3) throw new Error('not yet');
    });
    await queue.submit(job('A', 1));
    await eventually(() => expect(log).toContain('finish job A'));
    expect(trouble.map(({ givenUp }) => givenUp)).toEqual([false, false]);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(RETRY_MS - 1);
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(2 * RETRY_MS - 1);
    await queue.close();
  });

  it('gives a task up after all attempts, and lets the others of the work go on', async () => {
    const { queue, log, trouble } = queueOf((name) => {
      if (name === 'job A 0') throw new Error('never');
    });
    await queue.submit(job('A', 200));
    await eventually(() => expect(trouble.at(-1)).toMatchObject({ task: 0, givenUp: true }));
    await eventually(() => expect(log).toHaveLength(199));
    await sleep(RETRY_MS);
    expect(log, 'work that is not complete is not finished').not.toContain('finish job A');
    await queue.close();
  });

  it('never gives a task up for a fault that passes by itself', async () => {
    const { queue, log, trouble } = queueOf((_, attempt) => {
      if (attempt < 6) throw new Fault('keyProvider', 'the token is away', { retryable: true });
    });
    await queue.submit(job('A', 1));
    await eventually(() => expect(log).toContain('finish job A'));
    expect(trouble.map(({ givenUp }) => givenUp)).toEqual([false, false, false, false, false]);
    await queue.close();
  });

  it('takes work that it gave up when it is submitted again', async () => {
    let broken = true;
    const { queue, log, trouble } = queueOf(() => {
      if (broken) throw new Error('out of reach');
    });
    await queue.submit(job('A', 2));
    await eventually(() => expect(trouble.filter(({ givenUp }) => givenUp)).toHaveLength(2));
    broken = false;
    await queue.submit(job('A', 2));
    await eventually(() => expect(log).toEqual(['job A 0', 'job A 1', 'finish job A']));
    await queue.close();
  });

  it('tries to finish again when that fails, and runs no task twice for it', async () => {
    const finish = vi.fn().mockRejectedValueOnce(new Error('ledger busy')).mockResolvedValue(true);
    const { queue, log, trouble } = queueOf(() => undefined, { finish });
    await queue.submit(job('A', 2));
    await eventually(() => expect(finish).toHaveBeenCalledTimes(2));
    expect(trouble).toEqual([{ task: -1, givenUp: false, message: 'ledger busy' }]);
    await queue.close();
    expect(log).toEqual(['job A 0', 'job A 1']);
  });

  it('waits at its close for the task under way, starts no other one and takes nothing on', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { queue, log } = queueOf(() => held);
    await queue.submit(job('A', 3));
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    await sleep(10);
    expect(closed).toBe(false);
    release();
    await closing;
    expect(log).toEqual(['job A 0']);
    await expect(queue.submit(job('B', 1))).rejects.toMatchObject({ code: 'dispatcher', retryable: true });
  });

  it('gives a lane as many tasks at once as it takes of their kinds, and shares them among lanes', async () => {
    const underWay = new Set<string>();
    const held: (() => void)[] = [];
    const task = (name: string) =>
      new Promise<void>((resolve) => {
        underWay.add(name);
        held.push(() => {
          underWay.delete(name);
          resolve();
        });
      });
    const { queue } = queueOf(task, { lanes: 1, atOnce: { job: 2 } });
    await queue.submit(job('A', 3));
    await queue.submit({ kind: 'order', id: 'B', tasks: 2 });
    expect([...underWay]).toEqual(['job A 0', 'job A 1']);
    held[0]!();
    await eventually(() => expect(underWay.has('job A 0')).toBe(false));
    // one of another kind has a lane for itself: it waits for the chunk beside it, and a chunk waits for it
    await eventually(() => expect([...underWay]).toEqual(['job A 1', 'job A 2']));
    held[1]!();
    held[2]!();
    await eventually(() => expect([...underWay]).toEqual(['order B 0']));
    held[3]!();
    await eventually(() => expect([...underWay]).toEqual(['order B 1']));
    const closing = queue.close();
    for (const release of held) release();
    await closing;
  });

  it('gives a task to the lane with the least under way', async () => {
    const ran: number[] = [];
    const lanes = [0, 1].map(
      (number): Lane => ({
        atOnce: { job: 2 },
        async run() {
          ran.push(number);
          await sleep(5);
        },
        close: async () => undefined,
      }),
    );
    const finish = vi.fn().mockResolvedValue(true);
    const queue = new TaskQueue({ lanes, finish, onTrouble: () => undefined });
    await queue.submit(job('A', 4));
    expect(ran).toEqual([0, 1, 0, 1]);
    await eventually(() => expect(finish).toHaveBeenCalledOnce());
    await queue.close();
  });
});
