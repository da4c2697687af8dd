import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { present } from '../../../shared/present.ts';
import { decodeBppBatch, Factory, FactoryUnplugged } from '../../../sim/index.ts';
import { readDer, writeOutput } from '../../input/files.ts';
import { collect, hexOption, wholeOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { HintedError } from '../../output/failure.ts';
import { fields, table } from '../../output/table.ts';
import { describeOutcome } from './describe-outcome.ts';
import { cardFile, openCard, requireCards } from './folders.ts';

interface LoadOptions {
  readonly batch: readonly string[];
  readonly cards: string;
  readonly journal: string;
  readonly report?: string;
  readonly reportId?: Bytes;
  readonly notification?: readonly string[];
  readonly unplugAfter?: number;
}

const HELP = `
The line works with no network. It writes one line of the journal for each package that came to its end; run on the
same journal again, it goes on where it stopped. Exit code 1 where a package of the batch is not installed.

Example:
  smdpf sim factory load --batch bpps.der --cards production/cards --journal line.jsonl --report report.der`;

export function registerSimFactory(sim: Command, io: CliIo): void {
  sim
    .command('factory')
    .description('a production line with its FPA')
    .command('load')
    .description('load BPP batches into cards and write the Profile Loading Report')
    .requiredOption('--batch <file>', 'BPP batch (FF62); may be given several times', collect)
    .requiredOption('--cards <dir>', 'folder of <EID>.json; one that is missing is unreachable')
    .requiredOption('--journal <file>', 'journal of the line')
    .option('--report <file>', 'where the Profile Loading Report (FF63) goes')
    .option('--report-id <hex>', 'reportId, 1 to 16 octets (default: random)', hexOption(1, 16))
    .option('--notification <file>', 'OtherSignedNotification for the report, such as a deletion', collect)
    .option('--unplug-after <n>', 'cut the power of the line after n APDUs', wholeOption(1, 1e9))
    .addHelpText('after', HELP)
    .action((options: LoadOptions) => load(options, io));
}

async function load(options: LoadOptions, io: CliIo): Promise<void> {
  requireCards(options.cards);
  const batches = await Promise.all(options.batch.map((file) => readDer(file, '--batch', 'bppBatch')));
  const total = batches.flatMap((batch) => decodeBppBatch(batch).items.filter(({ bound }) => bound)).length;
  const line = new Factory({
    journalFile: options.journal,
    now: io.now,
    reader(eid) {
      const file = cardFile(options.cards, eid);
      return file === undefined ? undefined : openCard(file);
    },
    ...present({ unplugAfterApdus: options.unplugAfter }),
  });
  const earlier = line.outcomes.filter(({ fpaError }) => fpaError?.cause !== 'unreachable').length;
  await run(line, batches, total, io);
  for (const file of options.notification ?? []) line.addNotification(await readDer(file, '--notification'));
  const reportId = options.reportId ?? randomBytes(16);
  if (options.report !== undefined)
    await writeOutput(options.report, line.report(reportId, batches), '--report');

  const results = line.outcomes.map(describeOutcome);
  const installed = results.filter(({ result }) => result === 'success').length;
  if (installed < total) io.exit(EXIT.refused);
  const counts = new Map<string, number>();
  for (const { result } of results) counts.set(result, (counts.get(result) ?? 0) + 1);
  const document = {
    packages: total,
    installed,
    doneBefore: earlier,
    ...(options.report !== undefined && { report: options.report, reportId: toHex(reportId) }),
    counts: Object.fromEntries(counts),
    results,
  };
  io.answer(document, () =>
    [
      fields([
        ['packages', total],
        ['done in earlier runs', earlier],
        ['report', options.report],
        ['reportId', document.reportId],
      ]),
      table(['result', 'packages'], [...counts]),
    ].join('\n\n'),
  );
}

async function run(line: Factory, batches: readonly Bytes[], total: number, io: CliIo): Promise<void> {
  const progress = io.progress('loading', total);
  let done = 0;
  try {
    for (const batch of batches) await line.load(batch, () => progress.update(++done));
  } catch (error) {
    if (!(error instanceof FactoryUnplugged)) throw error;
    throw new HintedError(
      error,
      'Run the same command again, without --unplug-after: the journal knows the rest.',
    );
  } finally {
    progress.end();
  }
}
