import { CommanderError } from 'commander';
import type { CliIo } from './cli-io.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { describeFailure } from './failure.ts';
import { toJson, toJsonLine } from './json.ts';
import { progressBar, type Terminal } from './progress.ts';
import { printable } from './table.ts';

export interface ProcessStreams {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: Terminal;
}

/** What `run` needs beyond what commands see. */
export interface RunIo extends CliIo {
  readonly exitCode: ExitCode;
  /** Tells the failure and sets the exit code. */
  fail(error: unknown): void;
  /** Text that commander wrote by itself: help and version. */
  write(text: string): void;
}

export function processIo({ argv, env, stdout, stderr }: ProcessStreams): RunIo {
  const json = argv.includes('--json');
  const warnings: string[] = [];
  let exitCode: ExitCode = EXIT.ok;
  let isBarred = false;
  const line = (text: string) => stderr.write(`${isBarred ? CLEAR_LINE : ''}${text}\n`);
  // https://no-color.org: set and not empty
  const colours = stderr.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  const inColour = (text: string, code: number) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const withWarnings = (document: Readonly<Record<string, unknown>>) =>
    warnings.length > 0 ? { ...document, warnings } : document;
  return {
    json,
    env,
    now: () => new Date(),
    answer(document, text) {
      if (json) stdout.write(`${toJson(withWarnings(document))}\n`);
      else stdout.write(`${typeof text === 'string' ? text : text()}\n`);
    },
    answerInLine(document, text) {
      stdout.write(`${json ? toJsonLine(document) : text}\n`);
    },
    say(text) {
      if (!json) stdout.write(`${text}\n`);
    },
    note(message) {
      line(printable(message));
    },
    warn(message) {
      warnings.push(message);
      line(`${inColour('warning:', YELLOW)} ${printable(message)}`);
    },
    progress(label, total) {
      const bar = progressBar(stderr, label, total, () => performance.now());
      isBarred = stderr.isTTY === true;
      return {
        update: bar.update,
        end() {
          isBarred = false;
          bar.end();
        },
      };
    },
    exit(code) {
      exitCode = code;
    },
    get exitCode() {
      return exitCode;
    },
    fail(error) {
      const { failure, exitCode: code } = describeFailure(error);
      exitCode = code;
      if (json) stdout.write(`${toJson(withWarnings({ error: { ...failure, exitCode: code } }))}\n`);
      else {
        const codes = failure.subjectCode ? ` (${failure.subjectCode}/${failure.reasonCode})` : '';
        stderr.write(`${inColour('error:', RED)} ${failure.code}${codes}: ${printable(failure.message)}\n`);
        stderr.write(`  ${inColour('way out:', BOLD)} ${failure.hint}\n`);
      }
      if (env.SMDPF_DEBUG === '1') stderr.write(`${debugText(error)}\n`);
    },
    write(text) {
      stdout.write(text);
    },
  };
}

/** The bar that a line of its own would stand behind. */
const CLEAR_LINE = '\r\x1b[K';
/** Select Graphic Rendition (ECMA-48). */
const RED = 31;
const YELLOW = 33;
const BOLD = 1;

/** Where it arose. What commander says repeats the value of an option, which may be a key, so it is left out. */
function debugText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? '';
  return error instanceof CommanderError ? stack.slice(stack.indexOf('\n    at ') + 1) : stack;
}
