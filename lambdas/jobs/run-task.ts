import type { WorkRunner } from '../../shared/jobs/dispatcher.ts';
import type { TaskInput } from '../../shared/jobs/step-functions.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';
import { readTask } from './input.ts';

/**
 * One task of a distributed map: binds a chunk of a job, or prepares a pack of an order. It may be killed anywhere
 * and delivered any number of times: the ledger's commit decides.
 */
export async function runTask(work: WorkRunner, input: TaskInput): Promise<{ task: number }> {
  const { kind, id, task } = readTask(input);
  await work.runTask(kind, id, task);
  return { task };
}

export const handler = backgroundEntry(
  'jobs.runTask',
  async (input: TaskInput) => runTask((await sharedRuntime()).work, input),
  { about: ({ kind, id, task }) => ({ kind, id, task }) },
);
