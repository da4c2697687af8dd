import type { Work, WorkRunner } from '../../shared/jobs/dispatcher.ts';
import { backgroundEntry } from '../background.ts';
import { sharedRuntime } from '../runtime.ts';
import { readWork } from './input.ts';

type Input = Pick<Work, 'kind' | 'id'>;

/** The end of an execution: asks the ledger whether all is committed, whatever the map said of its tasks. */
export async function finish(work: WorkRunner, input: Input): Promise<{ complete: boolean }> {
  const { kind, id } = readWork(input);
  return { complete: await work.finish(kind, id) };
}

export const handler = backgroundEntry(
  'jobs.finish',
  async (input: Input) => finish((await sharedRuntime()).work, input),
  { about: ({ kind, id }) => ({ kind, id }), outcome: ({ complete }) => ({ complete }) },
);
