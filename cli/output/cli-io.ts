import type { ExitCode } from './exit-codes.ts';
import type { Progress } from './progress.ts';

/**
 * What a command knows of the world outside: one answer on stdout, everything else on stderr.
 *
 * With --json the answer is one JSON document and nothing else is on stdout; warnings go to stderr as always and are
 * repeated in the document's `warnings`. A command that answers again and again writes one document a line.
 */
export interface CliIo {
  readonly json: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  /** The command's answer, given once. Octets in the document become lower-case hexadecimal. */
  answer(document: Readonly<Record<string, unknown>>, text: string | (() => string)): void;
  /** One of several answers, while a command goes on: with --json a document in one line. */
  answerInLine(document: Readonly<Record<string, unknown>>, text: string): void;
  /** A line of stdout for people, while a command works; silent with --json. */
  say(text: string): void;
  /** A line on stderr that is no warning, such as the address a server listens at. */
  note(message: string): void;
  /** Something to know that does not stop the command; on stderr. */
  warn(message: string): void;
  /** A bar on stderr where that is a terminal, otherwise silent. */
  progress(label: string, total: number): Progress;
  /** What the process will exit with, unless an error decides otherwise. */
  exit(code: ExitCode): void;
}
