import type { Command } from 'commander';
import { conformMaker } from '../../../conform/maker/maker.ts';
import { present } from '../../../shared/present.ts';
import { readDer } from '../../input/files.ts';
import { collect } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { answerChecks, type ResultOptions, withJunit } from './result.ts';

interface MakerArguments extends ResultOptions {
  readonly request?: string;
  readonly report?: string;
  readonly bppBatch?: string;
  readonly euiccData?: string;
  readonly ci?: readonly string[];
}

const HELP = `
A report is held against the BppBatch that it is about, and its signatures against the certificates of the eUICC data:
give both to have everything looked at. eUICC data inside the request are held against the rules of EUMs where --ci is given.

Example:
  smdpf conform maker --request request.der --report report.der --bpp-batch bpps.der --euicc-data euicc-data.der`;

export function registerConformMaker(conform: Command, io: CliIo): void {
  const command = conform
    .command('maker')
    .description("hold a device manufacturer's request (FF61) and report (FF63) against the rules")
    .option('--request <file>', 'BppRequest (FF61)')
    .option('--report <file>', 'ProfileLoadingReport (FF63)')
    .option('--bpp-batch <file>', 'BppBatch (FF62) that the report is about')
    .option('--euicc-data <file>', 'eUICC data batch (FF60) with the certificates of its eUICCs')
    .option('--ci <file>', 'certificate of a CI that the SM-DPf trusts; may be given several times', collect);
  withJunit(command)
    .addHelpText('after', HELP)
    .action(async (options: MakerArguments) => {
      if (options.request === undefined && options.report === undefined)
        throw new UsageError('nothing is given to look at', 'Give --request, --report or both.');
      const read = async (path: string | undefined, option: string, kind?: string) =>
        path === undefined ? undefined : await readDer(path, option, kind);
      const checks = conformMaker({
        now: io.now(),
        ...present({
          request: await read(options.request, '--request'),
          report: await read(options.report, '--report'),
          bppBatch: await read(options.bppBatch, '--bpp-batch', 'bppBatch'),
          euiccData: await read(options.euiccData, '--euicc-data', 'euiccDataBatch'),
          cis:
            options.ci && (await Promise.all(options.ci.map((file) => readDer(file, '--ci', 'certificate')))),
        }),
      });
      await answerChecks('maker', checks, options, io);
    });
}
