import { CommanderError } from 'commander';
import { Fault, Refusal } from '../../shared/errors.ts';
import { present } from '../../shared/present.ts';
import type { StatusName } from '../../shared/status-codes.ts';
import { SimError } from '../../sim/tlv.ts';
import type { Described, Failure } from './described.ts';
import { EXIT } from './exit-codes.ts';
import { faultHint, refusalHint } from './hints.ts';
import { describeServerFailure } from './server-failure.ts';
import { systemError } from './system-error.ts';

/** The command line, or a file that it names, is wrong. The hint is the way out. */
export class UsageError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/** Another error with the way out that only the command knows. */
export class HintedError extends Error {
  readonly hint: string;
  override readonly cause: Error;

  constructor(cause: Error, hint: string) {
    super(cause.message);
    this.cause = cause;
    this.hint = hint;
  }
}

/** The way out of one refusal that is another here than elsewhere. */
export async function hinted<T>(code: StatusName, hint: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal && error.code === code) throw new HintedError(error, hint);
    throw error;
  }
}

export function describeFailure(error: unknown): Described {
  if (error instanceof HintedError) {
    const { failure, exitCode } = describeFailure(error.cause);
    return { failure: { ...failure, hint: error.hint }, exitCode };
  }
  if (error instanceof Refusal) return { failure: describeRefusal(error), exitCode: EXIT.refused };
  if (error instanceof UsageError)
    return {
      failure: { code: 'usage', message: error.message, hint: error.hint },
      exitCode: EXIT.usage,
    };
  if (error instanceof CommanderError)
    return {
      failure: {
        code: 'usage',
        message: commanderMessage(error),
        hint: 'smdpf --help lists the commands, smdpf COMMAND --help their options.',
      },
      exitCode: EXIT.usage,
    };
  const ofServer = describeServerFailure(error);
  if (ofServer !== undefined) return ofServer;
  if (error instanceof SimError)
    return {
      failure: {
        code: 'counterpart',
        message: error.message,
        hint: 'What the simulated counterpart was given, or was answered, is not acceptable to it.',
      },
      exitCode: EXIT.refused,
    };
  if (error instanceof Fault)
    return {
      failure: {
        code: error.code,
        message: error.message,
        hint: systemError(error.cause)?.wayOut ?? faultHint(error),
      },
      exitCode: error.code === 'configuration' ? EXIT.usage : EXIT.fault,
    };
  const system = systemError(error);
  if (system !== undefined)
    return {
      failure: { code: 'system', message: system.message, hint: system.wayOut },
      exitCode: system.exitCode,
    };
  return {
    failure: {
      code: 'internal',
      message: 'the program failed in a way it does not know',
      hint: 'Run it again with SMDPF_DEBUG=1 to see where, and report that.',
    },
    exitCode: EXIT.fault,
  };
}

/** Commander repeats a wrong value, which may be a key. */
function commanderMessage({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'a command is missing';
  return message
    .replace(/^error: /, '')
    .replace('\n(', ' (')
    .replace(/ argument '.*' is invalid\./s, ': the value is not accepted.');
}

function describeRefusal(error: Refusal): Failure {
  return {
    code: error.code,
    subjectCode: error.subjectCode,
    reasonCode: error.reasonCode,
    ...present({ subjectIdentifier: error.subjectIdentifier, offset: error.offset }),
    message: error.message,
    hint: refusalHint(error),
  };
}
