import type { Command } from 'commander';
import { EumClient } from '../../../sim/index.ts';
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

type RegisterOptions = ServerOptions & WaitOptions;

/** `smdpf register`: an EUM sends eUICC data. */
export function registerRegister(program: Command, io: CliIo): void {
  withServerOptions(
    withWaitOptions(
      program
        .command('register <batch>')
        .description('an EUM sends certificates and one-time keys (FF60, Esed1)'),
    ),
    io,
  ).action((file: string, options: RegisterOptions) => sendEuiccData(file, '<batch>', options, io));
}

/** Sends an eUICC data batch; the same call again tells how far it is. */
export async function sendEuiccData(
  file: string,
  argument: string,
  options: RegisterOptions,
  io: CliIo,
): Promise<void> {
  const batch = await readToSend(file, argument, 'euiccDataBatch');
  const client = new EumClient(await clientOptions(options, io));
  const work = workOfOneCall(
    'eUICC data',
    () => client.registerEuiccData(batch),
    ({ accepted, rejectedCount, entries }) => ({
      done: number(accepted) + number(rejectedCount),
      of: number(entries),
    }),
  );
  const answer = await answerOfWork(work, options, io);
  answerOf(io, answer, (body) =>
    workText(
      body.entries === undefined
        ? { batchId: body.batchId, state: body.state, 'so far': 'the batch is being read' }
        : countedText(body, ['accepted', 'rejectedCount'], number(body.entries)),
      ['batchId', 'state', 'so far', 'entries', 'accepted', 'rejectedCount'],
      refusedItems(body.rejected, ['index', 'eid']),
    ),
  );
}
