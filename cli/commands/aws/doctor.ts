import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { present } from '../../../shared/present.ts';
import { type Checked, examine } from '../../aws/doctor/check.ts';
import { CHECKS } from '../../aws/doctor/checks.ts';
import { SignedCalls } from '../../aws/signed-calls.ts';
import { readStack } from '../../aws/stack-description.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { UsageError } from '../../output/failure.ts';
import { table } from '../../output/table.ts';

interface DoctorArguments {
  readonly outputs: string;
  readonly stack?: string;
  readonly cert?: string;
  readonly key?: string;
}

const WORDS = { good: 'good', bad: 'BAD', unchecked: 'not checked' } as const;

/** `smdpf aws doctor` */
export function registerDoctor(group: Command, io: CliIo): void {
  group
    .command('doctor')
    .description('check a deployed stack against AWS itself; rings one alarm, and leaves nothing behind')
    .requiredOption('--outputs <file>', 'what `cdk deploy --outputs-file` wrote')
    .option('--stack <name>', 'which stack, where the file has several')
    .option('--cert <file>', 'PEM of a client certificate that the truststore lets in')
    .option('--key <file>', 'PEM of its private key')
    .action(async (options: DoctorArguments) => {
      const stack = await readStack(options.outputs, options.stack);
      const client = await clientOf(options);
      const calls = new SignedCalls(stack.region);
      const found: Checked[] = [];
      const bar = io.progress('checking', CHECKS.length);
      try {
        for await (const one of examine(CHECKS, {
          stack,
          calls,
          ...present({ client }),
        })) {
          found.push(one);
          bar.update(found.length);
        }
      } finally {
        bar.end();
        calls.close();
      }
      const isBad = found.some(({ verdict }) => verdict === 'bad');
      io.answer({ stack: stack.description.name, good: !isBad, checks: found }, () =>
        table(
          ['check', 'verdict', 'what was seen', 'way out'],
          found.map(({ check, verdict, says, wayOut }) => [check, WORDS[verdict], says, wayOut]),
        ),
      );
      if (isBad) io.exit(EXIT.refused);
    });
}

async function clientOf({ cert, key }: DoctorArguments): Promise<{ cert: string; key: string } | undefined> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new UsageError('--cert and --key belong together', 'Name both files, or neither.');
  const read = (file: string, option: string) =>
    readFile(file, 'utf8').catch((cause) => {
      throw new UsageError(`${option}: ${file} cannot be read`, 'Check the path and its permissions.', {
        cause,
      });
    });
  return { cert: await read(cert, '--cert'), key: await read(key, '--key') };
}
