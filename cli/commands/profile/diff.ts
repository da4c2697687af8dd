import type { Command } from 'commander';
import { diffPackages } from '../../../shared/profile/package/diff.ts';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { table } from '../../output/table.ts';

export function registerDiff(profile: Command, io: CliIo): void {
  profile
    .command('diff')
    .description('tell in which profile elements and files two packages differ; contents are not shown')
    .argument('<before>', 'profile package: DER, base64 or hexadecimal')
    .argument('<after>', 'profile package')
    .addHelpText('after', '\nExit code 1 where they differ.')
    .action(async (before: string, after: string) => {
      const differences = diffPackages(await readDer(before, 'BEFORE'), await readDer(after, 'AFTER'));
      if (differences.length > 0) io.exit(EXIT.refused);
      io.answer({ before, after, differences }, () =>
        differences.length === 0
          ? 'the same'
          : table(
              ['', 'PE', 'no.', 'identification', 'components'],
              differences.map(({ change, pe, occurrence, identification, components }) => [
                change,
                pe,
                occurrence,
                identification,
                components.join(', '),
              ]),
            ),
      );
    });
}
