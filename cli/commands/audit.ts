import type { Command } from 'commander';
import { collect, wholeOption } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { anchorHead, compareClock } from './audit/anchor.ts';
import { type LineFilter, withFilter } from './audit/filter.ts';
import { archiveLines, exportLines, showLines } from './audit/lines.ts';
import { reviewLog } from './audit/review.ts';
import { type VerifyOptions, verifyLog } from './audit/verify.ts';
import { type Folder, folderCommands } from './folder-commands.ts';

/** `smdpf audit`: the hash-chained log of state changes and refused calls. */
export function registerAudit(program: Command, io: CliIo): void {
  const audit = program.command('audit');
  const command = folderCommands(audit);

  command('verify', 'find changed, missing and moved lines, by the chain and by what is kept apart from it')
    .option(
      '--lines <file>',
      'of lines that were exported or fetched, one on each, in place of the deployment',
    )
    .option(
      '--anchor <file>',
      'an end of this log that somebody else kept, as `audit anchor` signs it; may be repeated',
      collect,
    )
    .action((options: VerifyOptions) => verifyLog(options, io));
  withFilter(command('show', 'the last lines, or the last ones that fit'))
    .option('--last <lines>', 'how many', wholeOption(1, 10_000), 50)
    .action((options: Folder & LineFilter & { last: number }) => showLines(options, io));
  withFilter(command('export', 'lines as JSON, one on each, and the head that proves all of them complete'))
    .requiredOption('--out <file>', 'where to write the lines')
    .option('--statement <file>', 'where to write a statement about the file, signed by the delivery key')
    .action((options: Folder & LineFilter & { out: string; statement?: string }) => exportLines(options, io));
  command(
    'archive',
    'keep the lines since the last time in a locked object, as a running server does',
  ).action((options: Folder) => archiveLines(options, io));
  command(
    'anchor',
    'sign the end of the log for somebody else to keep, and keep it where the configuration says',
  )
    .option('--out <file>', 'where to write the statement')
    .action((options: Folder & { out?: string }) => anchorHead(options, io));
  command('review', 'write down that you have gone through the log up to its end, where it holds')
    .requiredOption('--finding <text>', 'what you found, in a line')
    .action((options: Folder & { finding: string }) => reviewLog(options, io));
  command('clock', 'compare this machine’s clock with the time source of the configuration').action(
    (options: Folder) => compareClock(options, io),
  );
}
