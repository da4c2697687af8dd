import type { Command } from 'commander';
import { FOLDER_OPTION, withRuntime } from '../deployment/with-runtime.ts';
import { readOctets } from '../input/files.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { UsageError } from '../output/failure.ts';
import { table } from '../output/table.ts';

interface CheckArguments {
  readonly folder: string;
  readonly order: string;
  readonly operator: string;
  readonly eids?: string;
}

/** `smdpf eligibility check`: the dry run. */
export function registerEligibility(program: Command, io: CliIo): void {
  program
    .command('eligibility')
    .command('check [eid...]')
    .description('which of these eUICCs would be refused, and why; nothing is spent')
    .option(...FOLDER_OPTION)
    .requiredOption('--order <orderId>', 'the order')
    .requiredOption('--operator <identifier>', 'whose order it is')
    .option('--eids <file>', 'more EIDs, one on each line')
    .action((named: readonly string[], options: CheckArguments) =>
      withRuntime(options.folder, async ({ services }) => {
        const { order, operator, eids: file } = options;
        const eids = [...named, ...(file === undefined ? [] : await readLines(file))];
        if (eids.length === 0)
          throw new UsageError('no EID is named', 'Name EIDs, or a file of them with --eids.');
        const verdicts = await services.eligibility.checkEligibility(
          { identifier: operator, role: 'operator', fingerprint: '' },
          { orderId: order, eids },
        );
        const refused = verdicts.filter(({ refusal }) => refusal !== undefined);
        if (refused.length > 0) io.exit(EXIT.refused);
        io.answer({ checked: verdicts.length, refused }, () =>
          [
            `${verdicts.length} checked, ${refused.length} would be refused`,
            table(
              ['EID', 'code', 'why'],
              refused.map(({ eid, refusal }) => [
                eid,
                `${refusal!.subjectCode}/${refusal!.reasonCode}`,
                refusal!.message,
              ]),
            ),
          ].join('\n\n'),
        );
      }),
    );
}

async function readLines(file: string): Promise<string[]> {
  const text = Buffer.from(await readOctets(file, '--eids')).toString('utf8');
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}
