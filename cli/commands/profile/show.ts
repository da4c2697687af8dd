import type { Command } from 'commander';
import { packageContents } from '../../../shared/profile/package/contents.ts';
import { uppSummary } from '../../../shared/profile/package/summary.ts';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { fields, table } from '../../output/table.ts';

const WIDTH = 72;

/** Copies that say the same are one, the ICCID is told above; undefined where there is nothing to tell. */
function brief(name: string, values: readonly string[]): string | undefined {
  if (name === 'iccid') return undefined;
  const text = [...new Set(values)].join(', ');
  return text.length > WIDTH ? `${text.slice(0, WIDTH)}…` : text || undefined;
}

export function registerShow(profile: Command, io: CliIo): void {
  profile
    .command('show')
    .description('show the profile elements, files and parameters of a profile package, without its secrets')
    .argument('<file>', 'profile package: DER, base64 or hexadecimal')
    .addHelpText('after', '\nLong values are cut; --json has them all.')
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
            ...Object.entries(parameters).map(([name, values]) => [name, brief(name, values)] as const),
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
