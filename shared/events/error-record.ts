import { SmdpfError } from '../errors.ts';

/**
 * Text that this server wrote, fit for the operator's log. Messages of other errors may quote what was being worked
 * on; they are no such text, and the compiler keeps them out of the log.
 */
export type OwnText = string & { readonly [OWN]: true };
declare const OWN: unique symbol;

/** For a text that stands in our code or was made of identifiers alone; of an error see messageOf. */
export const ownText = (text: string) => text as OwnText;

/** What may be told of an error in one line: the message of one of ours; else its name, its system code and its place. */
export function messageOf(error: unknown): OwnText {
  if (error instanceof SmdpfError) return ownText(error.message);
  if (!(error instanceof Error)) return ownText('unknown');
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return ownText([error.name, code ?? frames(error)[0]].filter((part) => part !== undefined).join(' '));
}

/** An error as the log has it. */
export interface ErrorRecord {
  readonly name: string;
  readonly code?: string;
  /** Of our own errors alone. */
  readonly message?: OwnText;
  /** Places in the code, innermost first. */
  readonly at: readonly string[];
}

const MAX_CAUSES = 5;
const MAX_FRAMES = 12;

/** The error and its causes, outermost first. */
export function errorRecords(error: unknown): ErrorRecord[] {
  const records: ErrorRecord[] = [];
  for (let cause = error; cause instanceof Error && records.length < MAX_CAUSES; cause = cause.cause) {
    records.push({
      name: cause.name,
      ...(cause instanceof SmdpfError && { code: cause.code, message: ownText(cause.message) }),
      at: frames(cause),
    });
  }
  return records;
}

function frames({ message, stack = '' }: Error): string[] {
  return stack
    .slice(message === '' ? 0 : stack.indexOf(message) + message.length)
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => line.trim());
}
