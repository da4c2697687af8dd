import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobDefinitionText } from '../../lib/job-definition.ts';
import { executionName, StepFunctionsDispatcher, type TaskInput } from '../../shared/jobs/step-functions.ts';
import { S3Vault } from '../../shared/vault/s3.ts';
import { awsClientConfig, createStores } from '../support/aws.ts';

/**
 * The state machine as the stack has it, on an interpreter of the language that is not MiniStack's: the dispatcher puts the
 * list of tasks into the vault and starts it, the interpreter reads the list and calls a Lambda for each. Which Lambdas
 * were called, and how it ended, is what counts. SMDPF_TEST_LAMBDA_PORT is where the interpreter calls Lambdas
 * (.ci/moto/serve.py).
 */
const port = process.env.SMDPF_TEST_LAMBDA_PORT;
const why =
  port === undefined ? ' (skipped: SMDPF_TEST_LAMBDA_PORT names no interpreter that calls here)' : '';

const TASKS = 60;

/** Lambda's interface, behind which a task is a number that gets done, or fails. */
class Lambdas {
  readonly done = new Map<number, number>();
  readonly finished: unknown[] = [];
  failing: ReadonlySet<number> = new Set();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const isFinish = decodeURIComponent(request.url ?? '').includes('finish');
        const answer = isFinish ? this.#finish(body) : this.#run(body as TaskInput);
        if (answer === undefined) response.setHeader('x-amz-function-error', 'Unhandled');
        response.setHeader('x-amz-executed-version', '$LATEST');
        response.end(JSON.stringify(answer ?? { errorType: 'Fault', errorMessage: 'the ledger is slow' }));
      });
    });
  }

  listen = (at: number) => new Promise<void>((resolve) => this.#server.listen(at, '127.0.0.1', resolve));
  close = () => this.#server.close();

  #run({ task }: TaskInput): object | undefined {
    if (this.failing.has(task)) return undefined;
    this.done.set(task, (this.done.get(task) ?? 0) + 1);
    return { task };
  }

  #finish(input: unknown): object {
    this.finished.push(input);
    return { complete: this.done.size === TASKS };
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/** The definition of the stack with its patience shortened: it waits for minutes where a task fails. */
const impatient = (text: string) =>
  text
    .replaceAll(/"MaxAttempts":\d+/g, '"MaxAttempts":1')
    .replaceAll(/"IntervalSeconds":\d+/g, '"IntervalSeconds":1');

describe.skipIf(port === undefined)(`the state machine on another interpreter${why}`, () => {
  const client = new SFNClient(awsClientConfig);
  const lambdas = new Lambdas();
  let stateMachine = '';
  let dispatcher: StepFunctionsDispatcher;
  let vault: S3Vault;

  beforeAll(async () => {
    await lambdas.listen(Number(port));
    const { bucket } = await createStores();
    const arn = (name: string) => `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;
    const definition = jobDefinitionText({
      bucket,
      runTask: arn('run-task'),
      finish: arn('finish'),
      tasksAtOnce: 4,
    });
    expect(impatient(definition)).not.toBe(definition);
    const { stateMachineArn = '' } = await client.send(
      new CreateStateMachineCommand({
        name: `jobs-${randomUUID()}`,
        definition: impatient(definition),
        roleArn: 'arn:aws:iam::123456789012:role/jobs',
      }),
    );
    stateMachine = stateMachineArn;
    vault = S3Vault.open(bucket, { config: awsClientConfig });
    dispatcher = new StepFunctionsDispatcher(stateMachineArn, { vault, client });
  });
  afterAll(async () => {
    lambdas.close();
    await vault?.close();
    client.destroy();
  });

  async function end(id: string, run: number): Promise<DescribeExecutionCommandOutput> {
    const executionArn = `${stateMachine.replace(':stateMachine:', ':execution:')}:${executionName('job', id, run)}`;
    for (;;) {
      const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
      if (execution.status !== 'RUNNING') return execution;
      await pause(200);
    }
  }

  it('runs each task once, asks whether all is committed, and succeeds', async () => {
    await dispatcher.submit({ kind: 'job', id: 'whole', tasks: TASKS });
    expect(await end('whole', 0)).toMatchObject({ status: 'SUCCEEDED' });
    expect([...lambdas.done.keys()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: TASKS }, (_, i) => i),
    );
    expect([...lambdas.done.values()].every((times) => times === 1)).toBe(true);
    expect(lambdas.finished).toEqual([{ kind: 'job', id: 'whole' }]);
  });

  it('bears tasks that fail: all others are done, and it ends as Incomplete', async () => {
    lambdas.done.clear();
    lambdas.failing = new Set([0, 7, TASKS - 1]);
    await dispatcher.submit({ kind: 'job', id: 'part', tasks: TASKS });
    expect(await end('part', 0)).toMatchObject({ status: 'FAILED', error: 'Incomplete' });
    expect(lambdas.done.size).toBe(TASKS - 3);
  });

  it('is started again where its work is submitted again, under the next number, and then succeeds', async () => {
    lambdas.failing = new Set();
    await dispatcher.submit({ kind: 'job', id: 'part', tasks: TASKS });
    expect(await end('part', 1)).toMatchObject({ status: 'SUCCEEDED' });
    expect(lambdas.done.size).toBe(TASKS);
  });

  it('bears that all tasks fail', async () => {
    lambdas.done.clear();
    lambdas.failing = new Set(Array.from({ length: TASKS }, (_, task) => task));
    await dispatcher.submit({ kind: 'job', id: 'none', tasks: 3 });
    expect(await end('none', 0)).toMatchObject({ status: 'FAILED', error: 'Incomplete' });
  });
});
