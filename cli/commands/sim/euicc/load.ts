import { type Bytes, toHex } from '../../../../shared/codec/bytes.ts';
import { decodeProfileInstallationResult } from '../../../../shared/rsp/profile-installation-result.ts';
import { decodeLoadPackage } from '../../../../sim/index.ts';
import { readDer, readOctets, writeOutput } from '../../../input/files.ts';
import { collect, hexOption, wholeOption } from '../../../input/options.ts';
import { describeResult } from '../../../inspect/final-result.ts';
import type { CliIo } from '../../../output/cli-io.ts';
import { EXIT } from '../../../output/exit-codes.ts';
import { UsageError } from '../../../output/failure.ts';
import { table } from '../../../output/table.ts';
import { openCard } from '../folders.ts';
import { type CardAnswer, type Load, loadOf, loadOfBound, loadsOfBatch, sendLoad } from '../load-card.ts';
import type { CardCommand, CardOption } from './card-command.ts';

interface LoadOptions extends CardOption {
  readonly bppBatch?: string;
  readonly loadPackage?: string;
  readonly bpp?: string;
  readonly dppbCert?: readonly string[];
  readonly keyId?: Bytes;
  readonly checkValidity?: boolean;
  readonly giveUpInterrupted?: boolean;
  readonly powerCutAfter?: number;
  readonly pir?: string;
}

export function registerLoad(command: CardCommand, io: CliIo): void {
  command('load', 'load Bound Profile Packages as an FPA does (STORE DATA, ES10f)')
    .option('--bpp-batch <file>', 'BPP batch (FF62): every item for this EID')
    .option('--bpp <file>', 'one BPP (BF36), with --load-package or --dppb-cert')
    .option('--load-package <file>', 'its load package (FF66)')
    .option('--dppb-cert <file>', 'CERT.DPpb, then the certificates above it without the CI', collect)
    .option(
      '--key-id <hex>',
      'the one-time key it is bound to (default: the first that is left)',
      hexOption(1, 16),
    )
    .option('--check-validity', 'give the eUICC a clock: certificates out of their validity are refused')
    .option(
      '--power-cut-after <apdus>',
      'the eUICC loses power once, after that many APDUs',
      wholeOption(1, 100_000),
    )
    .option(
      '--give-up-interrupted',
      'an eUICC that gives up what a power cut interrupted (error 11); default: it waits for the same BPP',
    )
    .option('--pir <file>', 'write the (last) Profile Installation Result there')
    .action((options: LoadOptions) => load(options, io));
}

async function load(options: LoadOptions, io: CliIo): Promise<void> {
  const card = openCard(options.card, {
    ...(options.checkValidity && { now: io.now }),
    ...(options.giveUpInterrupted && { interruption: 'fail' }),
    ...(options.powerCutAfter !== undefined && { faults: { powerCutAfterApdus: options.powerCutAfter } }),
  });
  const loads = await loadsOf(options, card.eid, card.unusedKeyIds[0]);
  const results: Record<string, unknown>[] = [];
  let installed = 0;
  for (const one of loads) {
    const answer = sendLoad(card, one);
    if (typeof answer === 'object' && 'pir' in answer && options.pir !== undefined)
      await writeOutput(options.pir, answer.pir, '--pir');
    const result = describeAnswer(answer);
    if (result.result === 'success') installed++;
    results.push({ transactionId: one.transactionId, ...result });
  }
  if (installed < loads.length) io.exit(EXIT.refused);
  io.answer({ eid: card.eid, installed, failed: loads.length - installed, results }, () =>
    table(
      ['transactionId', 'result', 'command', 'reason'],
      results.map((row) => [
        String(row.transactionId),
        String(row.result),
        row.bppCommandId as string | undefined,
        (row.errorReason ?? row.statusWord) as string | undefined,
      ]),
    ),
  );
}

async function loadsOf(options: LoadOptions, eid: string, firstKey: Bytes | undefined): Promise<Load[]> {
  const { bppBatch, bpp, loadPackage, dppbCert } = options;
  if (bppBatch !== undefined && bpp === undefined) {
    const loads = loadsOfBatch(await readDer(bppBatch, '--bpp-batch', 'bppBatch'), eid);
    if (loads.length === 0)
      throw new UsageError('the batch holds no package for this card', 'smdpf inspect shows its items.');
    return loads;
  }
  if (bpp === undefined || bppBatch !== undefined || (loadPackage === undefined) === (dppbCert === undefined))
    throw new UsageError(
      'one of --bpp-batch, --bpp with --load-package, and --bpp with --dppb-cert is needed',
      'smdpf sim euicc load --help shows them.',
    );
  // a BPP is passed on whatever it is: judging it is the eUICC's part
  const package_ = await readOctets(bpp, '--bpp');
  if (loadPackage !== undefined) {
    const octets = await readDer(loadPackage, '--load-package', 'loadPackage');
    return [loadOf(decodeLoadPackage(octets).transactionId, octets, package_)];
  }
  const keyId = options.keyId ?? firstKey;
  if (keyId === undefined)
    throw new UsageError('the card has no one-time key left', 'Personalise another one.');
  const certificates = await Promise.all(
    (dppbCert ?? []).map((file) => readDer(file, '--dppb-cert', 'certificate')),
  );
  return [loadOfBound(package_, certificates, keyId)];
}

function describeAnswer(answer: CardAnswer): Record<string, unknown> {
  if (answer === 'noAnswer') return { result: 'noAnswer' };
  if ('statusWord' in answer) return { result: 'statusWord', statusWord: answer.statusWord };
  return {
    ...describeResult(decodeProfileInstallationResult(answer.pir).finalResult),
    pir: toHex(answer.pir),
  };
}
