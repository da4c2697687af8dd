import type { Command } from 'commander';
import { packageContents } from '../../../shared/profile/package/contents.ts';
import { uppSummary } from '../../../shared/profile/package/summary.ts';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { fields, table } from '../../output/table.ts';

export function registerShow(profile: Command, io: CliIo): void {
  profile
    .command('show')
    .description('show the profile elements, files and parameters of a profile package, without its secrets')
    .argument('<file>', 'profile package: DER, base64 or hexadecimal')
    .action(async (file: string) => {
      const upp = await readDer(file, 'FILE');
      const { elements, ...summary } = uppSummary(upp);
      const { parameters, secrets, files } = packageContents(upp);
      io.answer({ file, ...summary, elements, parameters, secrets, files }, () =>
        [
          fields([
            ['iccid', summary.iccid],
            ['profileType', summary.profileType],
            ['version', summary.version],
            ['services', summary.mandatoryServices.join(', ')],
            ['length', `${summary.length} octets`],
            ...Object.entries(parameters).map(([name, values]) => [name, values.join(', ')] as const),
            ['secrets', secrets.join(', ')],
          ]),
          table(
            ['PE', 'tag', 'identification', 'offset', 'length'],
            elements.map(({ name, tag, identification, offset, length }) => [
              name,
              tag,
              identification,
              offset,
              length,
            ]),
          ),
          table(
            ['path', 'PE', 'file', 'structure', 'size'],
            files.map(({ path, pe, name, structure, size }) => [path, pe, name, structure, size]),
          ),
        ].join('\n\n'),
      );
    });
}
