import type { Command } from 'commander';
import { validatePackage } from '../../../shared/profile/package/validate.ts';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { table } from '../../output/table.ts';
import { readMetadata } from '../bind/metadata.ts';

export function registerCheck(profile: Command, io: CliIo): void {
  profile
    .command('check')
    .description(
      'tell everything that is wrong with a profile package, as far as can be seen without an eUICC',
    )
    .argument('<file>', 'profile package: DER, base64 or hexadecimal')
    .option('--metadata <file>', 'also hold it against these metadata, as smdpf bind takes them')
    .addHelpText('after', '\nExit code 1 where there is an error; warnings alone exit with 0.')
    .action(async (file: string, options: { metadata?: string }) => {
      const upp = await readDer(file, 'FILE');
      const metadata =
        options.metadata === undefined ? undefined : (await readMetadata(options.metadata, io)).metadata;
      const findings = validatePackage(upp, metadata);
      const errors = findings.filter(({ severity }) => severity === 'error').length;
      if (errors > 0) io.exit(EXIT.refused);
      io.answer({ file, errors, warnings: findings.length - errors, findings }, () =>
        findings.length === 0
          ? 'nothing is wrong'
          : table(
              ['', 'code', 'PE', 'offset', 'finding'],
              findings.map(({ severity, code, pe, offset, message }) => [
                severity,
                code,
                pe,
                offset,
                message,
              ]),
            ),
      );
    });
}
