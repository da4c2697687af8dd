import type { Command } from 'commander';
import { clientCertificates } from '../../aws/smoke/front-door.ts';
import { runSmoke, type SmokeResult } from '../../aws/smoke/smoke.ts';
import { readStack } from '../../aws/stack-description.ts';
import { actingPerson } from '../../deployment/acting-person.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { table } from '../../output/table.ts';

interface SmokeArguments {
  readonly outputs: string;
  readonly stack?: string;
  readonly pki: string;
}

/** `smdpf aws smoke` */
export function registerSmoke(group: Command, io: CliIo): void {
  group
    .command('smoke')
    .description(
      'go through the whole flow on a deployed stack, under a CI made for this run, and take back what can be; never where an auditor would mind',
    )
    .requiredOption('--outputs <file>', 'what `cdk deploy --outputs-file` wrote')
    .option('--stack <name>', 'which stack, where the file has several')
    .requiredOption(
      '--pki <folder>',
      'ca.cert.pem and ca.key.pem of a CA of the truststore; or operator.cert.pem, operator.key.pem and so for maker and eum',
    )
    .action(async ({ outputs, stack: name, pki }: SmokeArguments) => {
      const stack = await readStack(outputs, name);
      // the stores are opened as everywhere, by the region of the SDK's own configuration: that of the stack
      process.env.AWS_REGION = stack.region;
      const result = await runSmoke({
        stack,
        certificates: await clientCertificates(pki),
        by: actingPerson('cli'),
        say: (text) => io.say(text),
      });
      const { broken, failed } = result;
      const good = broken === undefined && failed.length === 0;
      for (const text of failed) io.warn(`not taken back: ${text}`);
      const document = { ...result, ...(broken !== undefined && { broken: broken.message }) };
      io.answer({ stack: stack.description.name, good, ...document }, () => report(result));
      if (!good) io.exit(EXIT.refused);
    });
}

function report({ broken, leftBehind, untried, steps }: SmokeResult): string {
  return [
    '',
    table(
      ['what stays', 'why'],
      leftBehind.map(({ what, why }) => [what, why]),
    ),
    '',
    ...untried.map((what) => `not tried: ${what}`),
    broken === undefined
      ? `all ${steps.length} steps held`
      : `BROKEN after ${steps.length} steps: ${broken.message}`,
  ].join('\n');
}
