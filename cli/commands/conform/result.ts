import type { Command } from 'commander';
import type { Check } from '../../../conform/conformity.ts';
import { junitOf } from '../../../conform/junit.ts';
import { writeOutput } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { fields, table } from '../../output/table.ts';

export interface ResultOptions {
  readonly junit?: string;
}

/** The option that every `smdpf conform` command has. */
export const withJunit = (command: Command): Command =>
  command.option('--junit <file>', 'write the result as JUnit XML too');

/** Tells the checks as the command's answer: exit code 1 where one failed. */
export async function answerChecks(
  subject: string,
  checks: readonly Check[],
  { junit }: ResultOptions,
  io: CliIo,
): Promise<void> {
  if (junit !== undefined)
    await writeOutput(junit, junitOf(`smdpf conform ${subject}`, checks, io.now()), '--junit');
  const count = (result: Check['result']) => checks.filter((check) => check.result === result).length;
  const summary = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
  if (summary.failed > 0) io.exit(EXIT.refused);
  io.answer({ subject, conforms: summary.failed === 0, ...summary, checks }, () =>
    [
      table(
        ['check', 'result', 'looked at', 'rule'],
        checks.map(({ id, result, looked, document, section, skipped }) => [
          id,
          result,
          looked,
          result === 'skipped' ? skipped : `${document}, ${section}`,
        ]),
      ),
      ...checks.filter(({ result }) => result === 'failed').map(findingsOf),
      `${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`,
    ].join('\n\n'),
  );
}

function findingsOf({ id, says, document, section, wayOut, findings, failed }: Check): string {
  const more = failed > findings.length ? [['', `${failed} in all`] as const] : [];
  return fields([
    [id, says],
    ['  rule', `${document}, ${section}`],
    ...findings.flatMap(({ where, expected, seen }): [string, string][] => [
      ['  where', where],
      ['  expected', expected],
      ['  seen', seen],
    ]),
    ...more,
    ['  way out', wayOut],
  ]);
}
