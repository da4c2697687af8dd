import { invariant } from '../../shared/errors.ts';
import { WORK_KINDS } from '../../shared/events/work-kinds.ts';
import type { Work } from '../../shared/jobs/dispatcher.ts';
import type { TaskInput } from '../../shared/jobs/step-functions.ts';

/** The state machine passes on what the dispatcher wrote; anything else is a mistake in its definition. */
export function readWork({ kind, id }: Pick<Work, 'kind' | 'id'>): Pick<Work, 'kind' | 'id'> {
  invariant(WORK_KINDS.includes(kind), 'the input names no kind of work');
  invariant(typeof id === 'string' && id !== '', 'the input has no id');
  return { kind, id };
}

export function readTask(input: TaskInput): TaskInput {
  const { task } = input;
  invariant(Number.isInteger(task) && task >= 0, 'the input has no task');
  return { ...readWork(input), task };
}
