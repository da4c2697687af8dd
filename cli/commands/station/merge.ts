import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { mergeReports } from '../../../station/merge.ts';
import { packagesOf } from '../../../station/station.ts';
import { readDer, writeOutput } from '../../input/files.ts';
import { collect, hexOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { fields, table } from '../../output/table.ts';
import { readBatches } from './batches.ts';

interface MergeOptions {
  readonly batch: readonly string[];
  readonly report: readonly string[];
  readonly out: string;
  readonly reportId?: Bytes;
}

const HELP = `
A result that an eUICC signed counts before what a station says of it. What no station reports is left out and listed. Exit code 1
where reports do not agree: each conflict is named with the reports that it is between, and which one stands.

Example:
  smdpf station merge --batch bpps.der --report 1.der --report 2.der --out report.der`;

export function registerStationMerge(station: Command, io: CliIo): void {
  station
    .command('merge')
    .description('make one report of those of several stations')
    .requiredOption('--batch <path>', 'BPP batch (FF62), or a folder of smdpf pull; may be repeated', collect)
    .requiredOption('--report <file>', 'Profile Loading Report (FF63) of a station; may be repeated', collect)
    .requiredOption('--out <file>', 'where the one report goes')
    .option('--report-id <hex>', 'reportId, 1 to 16 octets (default: random)', hexOption(1, 16))
    .addHelpText('after', HELP)
    .action((options: MergeOptions) => merge(options, io));
}

async function merge(options: MergeOptions, io: CliIo): Promise<void> {
  const packages = packagesOf(await readBatches(options.batch));
  const reports = await Promise.all(
    options.report.map(async (name) => ({
      name,
      report: await readDer(name, '--report', 'profileLoadingReport'),
    })),
  );
  const reportId = options.reportId ?? randomBytes(16);
  const { report, signed, unsigned, missing, conflicts } = mergeReports(reports, packages, reportId);
  await writeOutput(options.out, report, '--out');
  if (conflicts.length > 0) io.exit(EXIT.refused);
  const document = {
    out: options.out,
    reportId: toHex(reportId),
    packages: packages.length,
    signed,
    unsigned,
    missing,
    conflicts,
  };
  io.answer(document, () =>
    [
      fields([
        ['packages', packages.length],
        ['signed by an eUICC', signed],
        ['told of by a station alone', unsigned],
        ['in no report', missing.length],
        ['conflicts', conflicts.length],
        ['report', options.out],
      ]),
      ...(conflicts.length === 0
        ? []
        : [
            table(
              ['EID', 'conflict', 'reports', 'what stands'],
              conflicts.map(({ eid, what, reports: names, kept }) => [eid, what, names.join(', '), kept]),
            ),
          ]),
      ...(missing.length === 0
        ? []
        : [
            table(
              ['EID in no report', 'transactionId'],
              missing.map(({ eid, transactionId }) => [eid, transactionId]),
            ),
          ]),
    ].join('\n\n'),
  );
}
