import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import type { Command } from 'commander';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { DeviceMaker, decodeBppBatch, executed } from '../../../sim/index.ts';
import { eidsOfFile, requireEids } from '../../input/eids.ts';
import { readDer, writeOutput } from '../../input/files.ts';
import { hexOption, wholeOption } from '../../input/options.ts';
import {
  answerJson,
  clientOptions,
  type ServerOptions,
  withServerOptions,
} from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { UsageError } from '../../output/failure.ts';
import { fields, table } from '../../output/table.ts';

interface RequestOptions extends ServerOptions {
  readonly order: string;
  readonly cards?: string;
  readonly eids?: string;
  readonly euiccData?: string;
  readonly requestId?: Bytes;
  readonly timeout: number;
  readonly out: string;
}

export function registerSimDeviceMaker(sim: Command, io: CliIo): void {
  const maker = sim.command('device-maker').description("a device manufacturer's end of Esbpp");

  withServerOptions(
    maker
      .command('request')
      .description('ask for one BPP for each EID, wait for them and write the batch (FF62)')
      .requiredOption('--order <id>', 'orderId')
      .option('--cards <dir>', 'the EIDs of the card files in this folder')
      .option('--eids <file>', 'the EIDs of this file, one in a line')
      .option('--euicc-data <file>', 'eUICC data batch (FF60) that goes inside the request (Esed2)')
      .option('--request-id <hex>', 'requestId, 1 to 16 octets (default: random)', hexOption(1, 16))
      .option('--timeout <seconds>', 'how long to wait for the packages', wholeOption(1, 86_400), 60)
      .requiredOption('--out <file>', 'where the batch goes'),
    io,
  ).action((options: RequestOptions) => request(options, io));

  withServerOptions(
    maker
      .command('report')
      .description('send a Profile Loading Report (FF63)')
      .requiredOption('--report <file>', 'Profile Loading Report'),
    io,
  ).action(async (options: ServerOptions & { readonly report: string }) => {
    const report = await readDer(options.report, '--report', 'profileLoadingReport');
    const client = new DeviceMaker(await clientOptions(options, io));
    answerJson(io, await client.sendProfileLoadingReport(report));
  });

  withServerOptions(
    maker
      .command('deletion-statement')
      .description('a signed statement of what eUICCs have deleted, for devices that return to stock')
      .option('--cards <dir>', 'the EIDs of the card files in this folder')
      .option('--eids <file>', 'the EIDs of this file, one in a line')
      .requiredOption('--out <file>', 'where the statement goes (JWS)')
      .option('--keys-out <file>', 'where the delivery keys of the server go, for smdpf statement verify'),
    io,
  ).action((options: StatementOptions) => statement(options, io));
}

interface StatementOptions extends ServerOptions {
  readonly cards?: string;
  readonly eids?: string;
  readonly out: string;
  readonly keysOut?: string;
}

/** EIDs of one statement. */
const STATED = 1_000;

/** One file for a thousand devices: FILE, FILE.2, FILE.3 … */
async function statement(options: StatementOptions, io: CliIo): Promise<void> {
  const eids = await eidsOf(options);
  const client = new DeviceMaker(await clientOptions(options, io));
  const written: string[] = [];
  const refused: unknown[] = [];
  let deletions = 0;
  for (let from = 0; from < eids.length; from += STATED) {
    const some = eids.slice(from, from + STATED);
    const body = executed(await client.deletionStatement(some));
    refused.push(...(Array.isArray(body.refused) ? body.refused : []));
    if (typeof body.statement !== 'string') continue;
    deletions += Number(body.deletions);
    const file = from === 0 ? options.out : `${options.out}.${from / STATED + 1}`;
    await writeOutput(file, `${body.statement}\n`, '--out');
    written.push(file);
    if (typeof body.longTermSignature !== 'string') continue;
    await writeOutput(`${file}.second`, `${body.longTermSignature}\n`, '--out');
    written.push(`${file}.second`);
  }
  if (options.keysOut !== undefined) {
    const { header: _, ...keys } = await client.serverKeys();
    await writeOutput(options.keysOut, `${JSON.stringify(keys)}\n`, '--keys-out');
  }
  if (written.length === 0) io.exit(EXIT.refused);
  answerJson(io, { written, deletions, refused });
}

async function request(options: RequestOptions, io: CliIo): Promise<void> {
  const eids = await eidsOf(options);
  const requestId = options.requestId ?? randomBytes(16);
  const euiccData = options.euiccData && (await readDer(options.euiccData, '--euicc-data'));
  const client = new DeviceMaker(await clientOptions(options, io));
  const batch = await client.requestBpp(
    {
      requestId,
      orderId: options.order,
      items: eids.map((eid, index) => ({ itemId: index + 1, eid })),
      ...(euiccData && { euiccData }),
    },
    { timeoutMs: options.timeout * 1000 },
  );
  await writeOutput(options.out, batch, '--out');
  const { items } = decodeBppBatch(batch);
  const failed = items.flatMap(({ eid, failed: refusal }) => (refusal ? [{ eid, ...refusal }] : []));
  if (failed.length > 0) io.exit(EXIT.refused);
  const document = {
    requestId: toHex(requestId),
    out: options.out,
    bound: items.length - failed.length,
    failed,
  };
  io.answer(document, () =>
    [
      fields([
        ['requestId', document.requestId],
        ['batch', options.out],
        ['bound', document.bound],
        ['failed', failed.length],
      ]),
      ...(failed.length > 0
        ? [
            table(
              ['eid', 'code', 'message'],
              failed.map(({ eid, subjectCode, reasonCode, message }) => [
                eid,
                `${subjectCode}/${reasonCode}`,
                message,
              ]),
            ),
          ]
        : []),
    ].join('\n\n'),
  );
}

async function eidsOf({ cards, eids }: Pick<RequestOptions, 'cards' | 'eids'>): Promise<string[]> {
  if ((cards === undefined) === (eids === undefined))
    throw new UsageError('one of --cards and --eids is needed', 'Name a folder of cards or a file of EIDs.');
  const found = cards === undefined ? await eidsOfFile(eids!) : eidsOfFolder(cards);
  return requireEids(found);
}

function eidsOfFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^[0-9]{32}\.json$/.test(name))
      .map((name) => name.slice(0, 32))
      .sort();
  } catch (cause) {
    throw new UsageError(`--cards: ${folder} cannot be read`, 'Check the path.', { cause });
  }
}
