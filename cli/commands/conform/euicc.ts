import type { Command } from 'commander';
import { conformEuicc, type EuiccInput } from '../../../conform/euicc/euicc.ts';
import { present } from '../../../shared/present.ts';
import { attributesOf } from '../../../sim/certificate.ts';
import { parseCertificate } from '../../../sim/index.ts';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { openCard } from '../sim/folders.ts';
import { CardProcess } from './card-process.ts';
import { answerChecks, type ResultOptions, withJunit } from './result.ts';

interface EuiccArguments extends ResultOptions {
  readonly pir?: string;
  readonly euiccCert?: string;
  readonly smdpOid?: string;
  readonly card?: string;
  readonly command?: string;
  readonly bppBatch?: string;
}

const SERIAL_NUMBER = '2.5.4.5';

const HELP = `
A card is driven with the BPPs of --bpp-batch that are for its EID: wrong ones, a right one, the same again, and a second one
with the key of the first. Two BPPs for the EID (additional) have everything looked at. It changes the card: use one for tests.

--command names a program that answers lines: a command APDU in hexadecimal on stdin, response data and status word in
hexadecimal on stdout; "reset" is power off and on, and is answered by any line.

Example:
  smdpf conform euicc --pir result.der --euicc-cert CERT_EUICC.der
  smdpf conform euicc --command ./card-reader --euicc-cert CERT_EUICC.der --bpp-batch bpps.der`;

export function registerConformEuicc(conform: Command, io: CliIo): void {
  const command = conform
    .command('euicc')
    .description("hold an eUICC's result (BF37), and what it does with BPPs, against the rules")
    .option('--pir <file>', 'Profile Installation Result (BF37)')
    .option('--euicc-cert <file>', 'CERT.EUICC; that of the card with --card')
    .option('--smdp-oid <oid>', 'registeredID of the SM-DPf that --pir is for')
    .option('--card <file>', 'file of a soft eUICC to drive')
    .option('--command <program>', 'program that a card is driven by')
    .option('--bpp-batch <file>', 'BppBatch (FF62) with BPPs for the card');
  withJunit(command)
    .addHelpText('after', HELP)
    .action(async (options: EuiccArguments) => {
      const drives = options.card !== undefined || options.command !== undefined;
      if (options.pir === undefined && !drives)
        throw new UsageError('nothing is given to look at', 'Give --pir, --card or --command.');
      if (drives && options.bppBatch === undefined)
        throw new UsageError(
          '--bpp-batch is missing',
          'A card is driven with BPPs that an SM-DPf has bound for it.',
        );
      await run(options, io);
    });
}

async function run(options: EuiccArguments, io: CliIo): Promise<void> {
  const soft = options.card === undefined ? undefined : openCard(options.card, { now: io.now });
  const given =
    options.euiccCert === undefined
      ? undefined
      : await readDer(options.euiccCert, '--euicc-cert', 'certificate');
  const euiccCert = given ?? soft?.euiccCert;
  const program = options.command === undefined ? undefined : new CardProcess(options.command);
  try {
    const reader = soft ?? program;
    const card = reader && euiccCert && { reader, eid: eidOf(euiccCert), bppBatch: await batchOf(options) };
    if (reader !== undefined && card === undefined)
      throw new UsageError(
        '--euicc-cert is missing',
        'The results of a card are verified with its CERT.EUICC.',
      );
    const pir = options.pir === undefined ? undefined : await readDer(options.pir, '--pir');
    const input: EuiccInput = present({ pir, euiccCert, smdpOid: options.smdpOid, card });
    await answerChecks('euicc', await conformEuicc(input), options, io);
  } finally {
    program?.close();
  }
}

const batchOf = ({ bppBatch }: EuiccArguments) => readDer(bppBatch ?? '', '--bpp-batch', 'bppBatch');

const eidOf = (euiccCert: Uint8Array): string =>
  attributesOf(parseCertificate(euiccCert).subject).find(({ oid }) => oid === SERIAL_NUMBER)?.text ?? '';
