import { expect, it } from 'vitest';
import { backgroundEntry } from '../../lambdas/background.ts';
import { finish } from '../../lambdas/jobs/finish.ts';
import { runTask } from '../../lambdas/jobs/run-task.ts';
import { Fault } from '../../shared/errors.ts';
import type { WorkRunner } from '../../shared/jobs/dispatcher.ts';

const lines: Readonly<Record<string, unknown>>[] = [];
const options = {
  log: (line: Readonly<Record<string, unknown>>) => lines.push(line),
  now: () => 0,
  newIncident: () => 'I-1',
};

it('a background Lambda tells of an error outside no more than its incident', async () => {
  const entry = backgroundEntry(
    'test',
    async (_event: { id: string }) => {
      throw new Fault('ledger', 'INNER', { cause: new Error('SECRET'), retryable: true });
    },
    { about: ({ id }) => ({ id }) },
    options,
  );
  const error = await entry({ id: 'job-1' }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'dispatcher', message: 'incident I-1', retryable: true });
  expect((error as Error).cause).toBeUndefined();
  expect(JSON.stringify(lines)).not.toContain('SECRET');
  expect(lines).toMatchObject([
    { event: 'task', id: 'job-1', status: 'failed', incident: 'I-1' },
    { event: 'fault', id: 'job-1', incident: 'I-1', errors: [{ code: 'ledger', message: 'INNER' }, {}] },
  ]);
});

it('the task Lambda runs the task that the map names and refuses any other input', async () => {
  const ran: unknown[] = [];
  const work: WorkRunner = {
    runTask: async (...task) => void ran.push(task),
    finish: async () => false,
  };
  expect(await runTask(work, { kind: 'job', id: 'j', task: 3 })).toEqual({ task: 3 });
  expect(ran).toEqual([['job', 'j', 3]]);
  const bad: unknown[] = [
    {},
    { kind: 'other', id: 'j', task: 0 },
    { kind: 'job', id: '', task: 0 },
    { kind: 'job', id: 'j', task: -1 },
  ];
  for (const input of bad)
    await expect(runTask(work, input as Parameters<typeof runTask>[1])).rejects.toMatchObject({
      code: 'invariant',
    });
  expect(await finish(work, { kind: 'job', id: 'j' })).toEqual({ complete: false });
});
