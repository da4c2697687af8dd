import { DescribeExecutionCommand, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { expect, it } from 'vitest';
import { executionName, StepFunctionsDispatcher } from '../../shared/jobs/step-functions.ts';

const ARN = 'arn:aws:states:eu-central-1:000000000000:stateMachine:jobs';

/** What of Step Functions the dispatcher leans on: a name is taken once, and an execution has a status. */
function stateMachine() {
  const executions = new Map<string, { status: string; input: string }>();
  const calls = { count: 0 };
  const client = {
    destroy: () => undefined,
    async send(command: unknown) {
      calls.count++;
      if (command instanceof StartExecutionCommand) {
        const { name = '', input = '' } = command.input;
        if (executions.has(name)) throw Object.assign(new Error('taken'), { name: 'ExecutionAlreadyExists' });
        executions.set(name, { status: 'RUNNING', input });
        return {};
      }
      if (command instanceof DescribeExecutionCommand) {
        const execution = executions.get(command.input.executionArn!.split(':').at(-1)!);
        if (execution === undefined)
          throw Object.assign(new Error('unknown'), { name: 'ExecutionDoesNotExist' });
        return execution;
      }
      throw new Error('another command was sent');
    },
  } as unknown as SFNClient;
  const lists = new Map<string, string>();
  const vault = {
    async put(name: string, body: Uint8Array) {
      lists.set(name, Buffer.from(body).toString('utf8'));
      return { name, version: '1', size: body.length, sha256: '' };
    },
  };
  return { executions, lists, calls, dispatcher: new StepFunctionsDispatcher(ARN, { client, vault }) };
}

it('the dispatcher on Step Functions hands the map a list of names: kind, id and task', async () => {
  const { dispatcher, executions, lists } = stateMachine();
  await dispatcher.submit({ kind: 'job', id: 'abc', tasks: 3 });
  const [execution] = [...executions.values()];
  expect(JSON.parse(execution!.input)).toEqual({ kind: 'job', id: 'abc', tasks: 'tasks/job/abc' });
  expect(JSON.parse(lists.get('tasks/job/abc')!)).toEqual([
    { kind: 'job', id: 'abc', task: 0 },
    { kind: 'job', id: 'abc', task: 1 },
    { kind: 'job', id: 'abc', task: 2 },
  ]);
});

it('the dispatcher on Step Functions starts work under way no second time, and work that ended without its commits again', async () => {
  const { dispatcher, executions } = stateMachine();
  const work = { kind: 'order', id: 'ORD:1', tasks: 2 } as const;
  await Promise.all([dispatcher.submit(work), dispatcher.submit(work)]);
  expect([...executions.keys()]).toEqual([executionName('order', 'ORD:1', 0)]);
  for (const execution of executions.values()) execution.status = 'FAILED';
  await dispatcher.submit(work);
  await dispatcher.submit(work);
  expect([...executions.keys()].slice(1)).toEqual([executionName('order', 'ORD:1', 1)]);
});

it('the dispatcher on Step Functions starts work again after any number of runs, and finds the newest in few calls', async () => {
  const { dispatcher, executions, calls } = stateMachine();
  const work = { kind: 'job', id: 'abc', tasks: 1 } as const;
  for (let run = 0; run < 700; run++) {
    calls.count = 0;
    await dispatcher.submit(work);
    expect(executions.size).toBe(run + 1);
    expect(calls.count).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(run + 2)) + 3);
    for (const execution of executions.values()) execution.status = 'FAILED';
  }
  expect([...executions.keys()].at(-1)).toBe(executionName('job', 'abc', 699));
});

it('the dispatcher on Step Functions leaves alone a run under way that follows many that ended', async () => {
  const { dispatcher, executions } = stateMachine();
  const work = { kind: 'job', id: 'abc', tasks: 1 } as const;
  for (let run = 0; run < 20; run++) {
    await dispatcher.submit(work);
    if (run < 19) for (const execution of executions.values()) execution.status = 'TIMED_OUT';
  }
  await dispatcher.submit(work);
  expect(executions.size).toBe(20);
});

it('the dispatcher on Step Functions names executions as Step Functions takes them, whatever the identifier', () => {
  for (const id of ['a', 'ORD:1.x_y-z', 'x'.repeat(64)])
    expect(executionName('euiccData', id, 499)).toMatch(/^[\w-]{1,80}$/);
  expect(executionName('job', 'a', 0)).not.toBe(executionName('job', 'b', 0));
});

it('the dispatcher on Step Functions refuses what is no state machine', () => {
  const vault = { put: async () => Promise.reject(new Error('not reached')) };
  expect(() => new StepFunctionsDispatcher('jobs', { vault })).toThrow(
    expect.objectContaining({ code: 'configuration' }),
  );
});
