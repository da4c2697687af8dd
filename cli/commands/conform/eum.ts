import type { Command } from 'commander';
import { conformEum } from '../../../conform/eum/eum.ts';
import { present } from '../../../shared/present.ts';
import { decodeSpki } from '../../../sim/curve.ts';
import { readDer } from '../../input/files.ts';
import { collect } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { answerChecks, type ResultOptions, withJunit } from './result.ts';

interface EumArguments extends ResultOptions {
  readonly batch: string;
  readonly ci: readonly string[];
  readonly dataKey?: string;
  readonly forwarded?: boolean;
}

const HELP = `
Where a proof or a signature does not hold, the octets that should have been signed are told in hexadecimal, and what
was signed in their place where that is one of the mistakes that are often made.

Example:
  smdpf conform eum --batch euicc-data.der --ci CERT_CI.der --junit eum.xml`;

export function registerConformEum(conform: Command, io: CliIo): void {
  const command = conform
    .command('eum')
    .description(
      'hold an eUICC data batch (FF60) against the rules: frame, chain, certificates, keys, proofs, signature',
    )
    .requiredOption('--batch <file>', 'eUICC data batch (FF60), in DER, base64 or hexadecimal')
    .requiredOption(
      '--ci <file>',
      'certificate of a CI that the SM-DPf trusts; may be given several times',
      collect,
    )
    .option('--data-key <file>', "the EUM's data key, public: SubjectPublicKeyInfo in PEM or DER")
    .option('--forwarded', 'the batch travels inside a BppRequest (path B)');
  withJunit(command)
    .addHelpText('after', HELP)
    .action(async (options: EumArguments) => {
      const dataKey =
        options.dataKey === undefined ? undefined : decodeSpki(await readDer(options.dataKey, '--data-key'));
      const checks = conformEum({
        // whatever it is: that it is no batch is a finding too
        batch: await readDer(options.batch, '--batch'),
        cis: await Promise.all(options.ci.map((file) => readDer(file, '--ci', 'certificate'))),
        now: io.now(),
        ...present({ dataKey, isForwarded: options.forwarded }),
      });
      await answerChecks('eum', checks, options, io);
    });
}
