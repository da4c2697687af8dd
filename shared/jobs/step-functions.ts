import { createHash } from 'node:crypto';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { awsClient } from '../aws/client-config.ts';
import { isNamed, toFault } from '../aws/fault.ts';
import { utf8 } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';
import { objectNames } from '../service/records/object-names.ts';
import type { Vault } from '../vault/vault.ts';
import type { Dispatcher, Work, WorkKind } from './dispatcher.ts';

/** What one child of the map is given: names only, so that no state comes near its 256 KB. */
export interface TaskInput {
  readonly kind: WorkKind;
  readonly id: string;
  readonly task: number;
}

/** What an execution is given: the work, and where its list of TaskInputs lies in the vault's bucket. */
export interface ExecutionInput {
  readonly kind: WorkKind;
  readonly id: string;
  readonly tasks: string;
}

export interface StepFunctionsOptions {
  /** The list of tasks goes through it; the state machine reads it from the same bucket. */
  readonly vault: Pick<Vault, 'put'>;
  /** A client of the caller's, closed by the caller. */
  readonly client?: SFNClient;
}

const UNDER_WAY: ReadonlySet<string> = new Set(['RUNNING', 'PENDING_REDRIVE']);
/** An execution whose history AWS has removed, 90 days after its end. */
const FORGOTTEN = 'FORGOTTEN';

/**
 * The dispatcher on AWS: one execution of a state machine that maps its task Lambda over the list of tasks, those
 * committed already return at once. The execution's name follows from the work and the number of the run, so that work
 * under way is never started twice: a name is taken once, and the next number only follows where the run before has
 * ended and its work is submitted again, because the ledger still has it open. The newest run is found by asking for
 * runs 0, 1, 3, 7, … and then between the last two: 2 calls for the second run, 18 for the five hundredth. What an
 * execution says of its outcome is never asked.
 */
export class StepFunctionsDispatcher implements Dispatcher {
  readonly #stateMachine: string;
  readonly #vault: Pick<Vault, 'put'>;
  readonly #client: SFNClient;
  readonly #ownsClient: boolean;

  /** Region, credentials and endpoint are those of the SDK's own configuration. */
  constructor(stateMachineArn: string, { vault, client }: StepFunctionsOptions) {
    if (!/^arn:[^:]+:states:[^:]+:\d{12}:stateMachine:[\w-]+$/.test(stateMachineArn)) {
      throw new Fault('configuration', 'stepfunctions: is followed by the ARN of a state machine');
    }
    this.#stateMachine = stateMachineArn;
    this.#vault = vault;
    this.#client = client ?? new SFNClient(awsClient());
    this.#ownsClient = client === undefined;
  }

  async submit({ kind, id, tasks }: Work): Promise<void> {
    const list = Array.from({ length: tasks }, (_, task): TaskInput => ({ kind, id, task }));
    const { name: object } = await this.#vault.put(objectNames.tasks(kind, id), utf8(JSON.stringify(list)));
    const input: ExecutionInput = { kind, id, tasks: object };
    try {
      if (await this.#start(executionName(kind, id, 0), input)) return;
      const newest = await this.#newestRun(kind, id);
      if (UNDER_WAY.has(newest.status)) return;
      // refused where somebody else has started it since, which is as well
      await this.#start(executionName(kind, id, newest.run + 1), input);
    } catch (error) {
      throw toFault('dispatcher', error);
    }
  }

  async close(): Promise<void> {
    if (this.#ownsClient) this.#client.destroy();
  }

  /** False if there is or was a run of this name. */
  async #start(name: string, input: ExecutionInput): Promise<boolean> {
    const command = new StartExecutionCommand({
      stateMachineArn: this.#stateMachine,
      name,
      input: JSON.stringify(input),
    });
    try {
      await this.#client.send(command);
      return true;
    } catch (error) {
      if (isNamed(error, 'ExecutionAlreadyExists')) return false;
      throw error;
    }
  }

  /** Run 0 is there; numbers have no gaps. */
  async #newestRun(kind: WorkKind, id: string): Promise<{ run: number; status: string }> {
    const statusOf = (run: number) => this.#statusOf(executionName(kind, id, run));
    let newest: { run: number; status: string | undefined } = { run: 0, status: await statusOf(0) };
    let absent = 1;
    for (let status = await statusOf(absent); status !== undefined; status = await statusOf(absent)) {
      newest = { run: absent, status };
      absent = 2 * absent + 1;
    }
    while (absent - newest.run > 1) {
      const run = Math.floor((newest.run + absent) / 2);
      const status = await statusOf(run);
      if (status === undefined) absent = run;
      else newest = { run, status };
    }
    return { run: newest.run, status: newest.status ?? FORGOTTEN };
  }

  async #statusOf(name: string): Promise<string | undefined> {
    const executionArn = `${this.#stateMachine.replace(':stateMachine:', ':execution:')}:${name}`;
    try {
      const { status } = await this.#client.send(new DescribeExecutionCommand({ executionArn }));
      return status ?? FORGOTTEN;
    } catch (error) {
      if (isNamed(error, 'ExecutionDoesNotExist')) return undefined;
      throw error;
    }
  }
}

/** An identifier may have characters and a length that an execution's name may not (80 of letters, digits, - and _). */
export function executionName(kind: WorkKind, id: string, run: number): string {
  return `${kind}-${createHash('sha256').update(id).digest('hex').slice(0, 40)}-${run}`;
}
