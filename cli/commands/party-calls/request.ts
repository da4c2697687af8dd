import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { present } from '../../../shared/present.ts';
import { DeviceMaker, type FunctionAnswer } from '../../../sim/index.ts';
import { pull } from '../../delivery/pull.ts';
import { hexOption } from '../../input/options.ts';
import { requestToSend } from '../../input/sent-request.ts';
import {
  answerOf,
  clientOptions,
  type ServerOptions,
  withServerOptions,
} from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { refusedItems, workText } from './texts.ts';
import { answerOfWork, number, type WaitOptions, withWaitOptions } from './waiting.ts';

interface FollowOptions extends ServerOptions, WaitOptions {
  readonly out?: string;
}

interface SendOptions extends FollowOptions {
  readonly order: string;
  readonly eids: string;
  readonly euiccData?: string;
  readonly requestId?: Bytes;
}

const HELP = `
  smdpf request send --order ORD-1 --eids eids.txt --wait --out batch
  smdpf batch verify --folder batch            what was fetched goes on to the line: smdpf station --help

A request is known by its requestId. Sent again under the same one it is the same request, never another.`;

/** `smdpf request`: a device manufacturer asks for Bound Profile Packages. */
export function registerRequest(program: Command, io: CliIo): void {
  const group = program.command('request').addHelpText('after', HELP);
  const follow = (command: Command) =>
    withServerOptions(
      withWaitOptions(command).option(
        '--out <folder>',
        'with --wait: where the answer goes, as smdpf pull writes it',
      ),
      io,
    );
  follow(
    group
      .command('send')
      .description('ask for one BPP for each EID (Esbpp.requestBpp)')
      .requiredOption('--order <id>', 'orderId')
      .requiredOption('--eids <file>', 'the EIDs, one in a line')
      .option('--euicc-data <file>', 'eUICC data batch (FF60) that goes inside the request (Esed2)')
      .option('--request-id <hex>', 'requestId, 1 to 16 octets; random unless given', hexOption(1, 16)),
  ).action((options: SendOptions) => send(options, io));
  follow(group.command('status <requestId>').description('how far a request is (Esbpp.getBppBatch)')).action(
    (requestId: string, options: FollowOptions) => status(requestId, options, io),
  );
}

async function send(options: SendOptions, io: CliIo): Promise<void> {
  const { order: orderId, requestId = randomBytes(16) } = options;
  const { eids, euiccData } = options;
  const request = await requestToSend({ requestId, orderId, eids, ...present({ euiccData }) });
  const maker = new DeviceMaker(await clientOptions(options, io));
  await follow(toHex(requestId), options, maker, () => maker.callRequestBpp(request), io);
}

async function status(requestId: string, options: FollowOptions, io: CliIo): Promise<void> {
  if (!/^(?:[0-9a-fA-F]{2}){1,16}$/.test(requestId))
    throw new UsageError('a requestId is 1 to 16 octets in hexadecimal', 'smdpf request send tells it.');
  const maker = new DeviceMaker(await clientOptions(options, io));
  await follow(requestId, options, maker, () => asked(maker, requestId), io);
}

const asked = ({ client }: DeviceMaker, requestId: string) =>
  client.call('esbpp', 'getBppBatch', { requestId });

/** Tells how far a request is, and fetches its answer where that is wanted. */
async function follow(
  requestId: string,
  options: FollowOptions,
  maker: DeviceMaker,
  begin: () => Promise<FunctionAnswer>,
  io: CliIo,
): Promise<void> {
  const { out } = options;
  if (out !== undefined && options.wait !== true)
    throw new UsageError('--out needs --wait', 'Or fetch the answer later: smdpf pull.');
  const work = {
    label: 'request',
    begin,
    ask: () => asked(maker, requestId),
    isUnderWay: ({ state }: FunctionAnswer['body']) => state === 'Pending',
    progress: ({ processed, items }: FunctionAnswer['body']) => ({
      done: number(processed),
      of: number(items),
    }),
  };
  const answer = await answerOfWork(work, options, io);
  const isDone = answer.status.startsWith('Executed') && answer.body.state === 'Done';
  if (out !== undefined && isDone) await fetched(requestId, { ...options, out }, io);
  // the packages themselves are in the folder
  const { bppBatch: _, manifest: __, parts: ___, longTermSignature: ____, ...told } = answer.body;
  const body = { requestId, ...told, ...(out !== undefined && isDone && { out }) };
  answerOf(io, { ...answer, body }, () =>
    workText(
      body,
      ['requestId', 'state', 'items', 'processed', 'out'],
      refusedItems(answer.body.failed, ['itemId']),
    ),
  );
}

async function fetched(
  requestId: string,
  options: FollowOptions & { readonly out: string },
  io: CliIo,
): Promise<void> {
  const client = await clientOptions(options, io);
  await pull({
    client,
    requestId,
    folder: options.out,
    parallel: 4,
    timeoutMs: options.timeout * 1000,
    onPart: (done, parts) => io.note(`part ${done} of ${parts}`),
  });
}
