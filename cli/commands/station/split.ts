import { join } from 'node:path';
import type { Command } from 'commander';
import { type BppBatch, encodeBppBatch, isValidEid } from '../../../sim/index.ts';
import { shareOfBatch, splitInto } from '../../../station/split.ts';
import { readOctets, writeOutput } from '../../input/files.ts';
import { collect, wholeOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { table } from '../../output/table.ts';
import { readBatch } from './batches.ts';

interface SplitOptions {
  readonly batch: string;
  readonly stations?: number;
  readonly eids?: readonly string[];
  readonly out: string;
}

export function registerStationSplit(station: Command, io: CliIo): void {
  station
    .command('split')
    .description('cut a batch into one for each station; all packages of a device stay together')
    .requiredOption('--batch <path>', 'BPP batch (FF62), or a folder of smdpf pull')
    .option('--stations <n>', 'as many shares, of as many devices each as can be', wholeOption(1, 10_000))
    .option('--eids <file>', 'the EIDs of one station, one in a line; once for each station', collect)
    .requiredOption('--out <dir>', 'where station-01.der, station-02.der … go')
    .action((options: SplitOptions) => split(options, io));
}

async function split(options: SplitOptions, io: CliIo): Promise<void> {
  const batch = await readBatch(options.batch);
  const shares = await sharesOf(batch, options);
  const digits = Math.max(2, String(shares.length).length);
  const rows: { file: string; devices: number; packages: number }[] = [];
  for (const [index, share] of shares.entries()) {
    const file = join(options.out, `station-${String(index + 1).padStart(digits, '0')}.der`);
    await writeOutput(file, encodeBppBatch(share), '--out');
    const devices = new Set(share.items.map(({ eid }) => eid)).size;
    rows.push({ file, devices, packages: share.items.length });
  }
  const refused = batch.items.filter(({ bound }) => bound === undefined).length;
  const inShares = rows.reduce((sum, { packages }) => sum + packages, 0);
  const left = batch.items.length - refused - inShares;
  if (left > 0) io.warn(`${left} packages of the batch are in no share: no --eids names their devices`);
  io.answer({ stations: rows, refused, left }, () =>
    table(
      ['file', 'devices', 'packages'],
      rows.map(({ file, devices, packages }) => [file, devices, packages]),
    ),
  );
}

async function sharesOf(batch: BppBatch, { stations, eids }: SplitOptions): Promise<BppBatch[]> {
  if ((stations === undefined) === (eids === undefined))
    throw new UsageError(
      'one of --stations and --eids is needed',
      'Say how many stations there are, or who has which devices.',
    );
  if (stations !== undefined) return splitInto(batch, stations);
  const lists = await Promise.all(eids!.map(eidsOfFile));
  const first = new Map<string, string>();
  for (const [index, list] of lists.entries())
    for (const eid of list) {
      const earlier = first.get(eid);
      if (earlier !== undefined)
        throw new UsageError(
          `--eids: ${eid} is in ${earlier} and in ${eids![index]}`,
          'A device is on one station.',
        );
      first.set(eid, eids![index]!);
    }
  return lists.map((list) => shareOfBatch(batch, (eid) => list.has(eid)));
}

async function eidsOfFile(file: string): Promise<Set<string>> {
  const words = Buffer.from(await readOctets(file, '--eids'))
    .toString('utf8')
    .split(/\s+/)
    .filter((word) => word !== '');
  const wrong = words.find((word) => !isValidEid(word));
  if (wrong !== undefined)
    throw new UsageError(
      `--eids: ${file} has a line that is no EID`,
      'An EID has 32 digits with right check digits.',
    );
  return new Set(words);
}
