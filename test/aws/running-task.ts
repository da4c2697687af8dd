/**
 * An execution environment of the task Lambda in a process of its own: takes the events of its first argument one after
 * the other and writes a line when each begins and ends. It can be killed, as Lambda kills what takes too long.
 */
import type { Context } from 'aws-lambda';
import { handler } from '../../lambdas/jobs/run-task.ts';
import type { TaskInput } from '../../shared/jobs/step-functions.ts';

const context = { functionName: 'jobs-run-task', awsRequestId: 'test' } as Context;
for (const event of JSON.parse(process.argv[2]!) as TaskInput[]) {
  process.stderr.write(`begin ${event.task}\n`);
  await handler(event, context);
  process.stderr.write(`end ${event.task}\n`);
}
