import type { Command } from 'commander';
import { estimate } from '../../../station/estimate.ts';
import { packagesOf } from '../../../station/station.ts';
import { collect, wholeOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { fields } from '../../output/table.ts';
import { readBatches } from './batches.ts';
import { durationText } from './duration.ts';

const HELP = `
By published figures: 1.07 ms an APDU and 62 µs an octet at the reader, and about 18 s for a whole LoadBPP on a real card. Take your
own after the first hundred devices: smdpf station load shows the time of each package.`;

export function registerStationEstimate(station: Command, io: CliIo): void {
  station
    .command('estimate')
    .description('how long a batch takes on the line')
    .requiredOption('--batch <path>', 'BPP batch (FF62), or a folder of smdpf pull; may be repeated', collect)
    .option('--readers <n>', 'readers that work at once', wholeOption(1, 100_000), 1)
    .addHelpText('after', HELP)
    .action(async ({ batch, readers }: { readonly batch: readonly string[]; readonly readers: number }) => {
      const { packages, apdus, octets, readerMs, cardMs } = estimate(packagesOf(await readBatches(batch)));
      const rounds = Math.ceil(packages / readers) / Math.max(1, packages);
      const document = {
        packages,
        apdus,
        octets,
        readers,
        readerMs: Math.round(readerMs * rounds),
        cardMs: Math.round(cardMs * rounds),
      };
      io.answer(document, () =>
        fields([
          ['packages', packages],
          ['APDUs', apdus],
          ['octets', octets],
          ['readers', readers],
          ['at the reader alone', durationText(document.readerMs)],
          ['with real cards', durationText(document.cardMs)],
        ]),
      );
    });
}
