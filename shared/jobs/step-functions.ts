import { createHash } from 'node:crypto';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
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

/** Runs of one piece of work, each over all its tasks: those committed already return at once. */
const RUN_LIMIT = 500;

/**
 * The dispatcher on AWS: one execution of a state machine that maps its task Lambda over the list of tasks. The
 * execution's name follows from the work and a number of the run, so that work under way is never started twice: a
 * name is taken once, and the next number only follows where the run before has ended and its work is submitted
 * again, because the ledger still has it open. What an execution says of its outcome is never asked.
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
    this.#client = client ?? new SFNClient({ maxAttempts: 8 });
    this.#ownsClient = client === undefined;
  }

  async submit({ kind, id, tasks }: Work): Promise<void> {
    const list = Array.from({ length: tasks }, (_, task): TaskInput => ({ kind, id, task }));
    const { name: object } = await this.#vault.put(objectNames.tasks(kind, id), utf8(JSON.stringify(list)));
    const input: ExecutionInput = { kind, id, tasks: object };
    try {
      for (let run = 0; run < RUN_LIMIT; run++) {
        if (await this.#start(executionName(kind, id, run), input)) return;
      }
    } catch (error) {
      throw toFault('dispatcher', error);
    }
    throw new Fault('dispatcher', `${kind} ${id} did not complete in ${RUN_LIMIT} runs`);
  }

  async close(): Promise<void> {
    if (this.#ownsClient) this.#client.destroy();
  }

  /** True if this run is under way now, whoever started it; false if it has ended before. */
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
      if (!isNamed(error, 'ExecutionAlreadyExists')) throw error;
      const executionArn = `${this.#stateMachine.replace(':stateMachine:', ':execution:')}:${name}`;
      const { status } = await this.#client.send(new DescribeExecutionCommand({ executionArn }));
      return status === 'RUNNING' || status === 'PENDING_REDRIVE';
    }
  }
}

/** An identifier may have characters and a length that an execution's name may not (80 of letters, digits, - and _). */
export function executionName(kind: WorkKind, id: string, run: number): string {
  return `${kind}-${createHash('sha256').update(id).digest('hex').slice(0, 40)}-${run}`;
}
