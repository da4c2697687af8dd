import type { Command } from 'commander';
import { ownTemplate, ownTestTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { writeOutput } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';

export function registerTemplate(profile: Command, io: CliIo): void {
  profile
    .command('template')
    .description("write the project's own template: USIM and ISIM, MILENAGE, 5G, SUCI, over-the-air keys")
    .requiredOption('--out <file>', 'where the package goes, in DER')
    .option('--test', 'with the published K of GSMA TS.48, for orders of profileClass test')
    .action(async ({ out, test }: { out: string; test?: true }) => {
      const upp = test ? ownTestTemplate() : ownTemplate();
      await writeOutput(out, upp, '--out');
      io.answer({ out, length: upp.length }, `written: ${out}, ${upp.length} octets`);
    });
}
