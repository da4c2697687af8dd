import type { Command } from 'commander';
import { decodeProfileLoadingReport } from '../../../shared/ifpp-draft1/profile-loading-report.ts';
import { scanProfileLoadingReport } from '../../../shared/ifpp-draft1/profile-loading-report-scan.ts';
import { DeviceMaker } from '../../../sim/index.ts';
import { readToSend } from '../../input/sent-file.ts';
import {
  answerOf,
  clientOptions,
  type ServerOptions,
  withServerOptions,
} from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { countedText, refusedItems, workText } from './texts.ts';
import { answerOfWork, number, type WaitOptions, withWaitOptions, workOfOneCall } from './waiting.ts';

type ReportOptions = ServerOptions & WaitOptions;

/** `smdpf report`: a device manufacturer reports what was loaded. */
export function registerReport(program: Command, io: CliIo): void {
  const group = program.command('report');
  withServerOptions(
    withWaitOptions(
      group
        .command('send <report>')
        .description('send a Profile Loading Report (FF63, Esbpp); again: how far it is'),
    ),
    io,
  ).action((file: string, options: ReportOptions) => sendReport(file, '<report>', options, io));
}

/** Sends a report; the same call again tells how far it is. */
export async function sendReport(
  file: string,
  argument: string,
  options: ReportOptions,
  io: CliIo,
): Promise<void> {
  const report = await readToSend(file, argument, 'profileLoadingReport');
  const items =
    report instanceof Uint8Array
      ? decodeProfileLoadingReport(report).items.length
      : (await scanProfileLoadingReport(report.read(), report.size, Number.MAX_SAFE_INTEGER)).items;
  const { client } = new DeviceMaker(await clientOptions(options, io));
  const work = workOfOneCall(
    'report',
    () => client.submit('esbpp', 'sendProfileLoadingReport', 'profileLoadingReport', report),
    ({ verified, noted, rejectedCount }) => ({
      done: number(verified) + number(noted) + number(rejectedCount),
      of: items,
    }),
  );
  const answer = await answerOfWork(work, options, io);
  answerOf(io, answer, (body) =>
    workText(
      countedText(body, ['verified', 'noted', 'rejectedCount'], items),
      ['reportId', 'state', 'so far', 'verified', 'noted', 'rejectedCount'],
      refusedItems(body.rejected, ['itemIndex']),
    ),
  );
}
