import { createPrivateKey } from 'node:crypto';
import type { Command } from 'commander';
import { type SigningKey, signingKey } from '../../../conform/operator/callback.ts';
import { conformOperator } from '../../../conform/operator/operator.ts';
import { present } from '../../../shared/present.ts';
import { readOctets } from '../../input/files.ts';
import { tlsIdentity } from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { answerChecks, type ResultOptions, withJunit } from './result.ts';

interface OperatorArguments extends ResultOptions {
  readonly url?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly deliveryKey: string;
  readonly printKeys?: boolean;
  readonly batch?: boolean;
}

const HELP = `
The receiver has to know the public part of --delivery-key as one of deliveryKeys of the SM-DPf: --print-keys writes it as
getServerKeys would tell it, and does nothing else. Make the key with
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out delivery.pem

Example:
  smdpf conform operator --url https://receiver.example.com/callbacks --tls-ca ca.pem \\
    --tls-cert smdpf.pem --tls-key smdpf.key.pem --delivery-key delivery.pem`;

export function registerConformOperator(conform: Command, io: CliIo): void {
  const command = conform
    .command('operator')
    .description("drive an Operator's receiver of callbacks with right ones and wrong ones")
    .option('--url <url>', 'where the receiver listens, as an order would give it for callbackUrl')
    .option('--tls-ca <file>', 'PEM: the CA that the certificate of the receiver is verified with')
    .option('--tls-cert <file>', 'PEM: the client certificate that the receiver trusts')
    .option('--tls-key <file>', 'PEM: its private key')
    .requiredOption('--delivery-key <file>', 'PEM: a private key on P-256 that stands for the delivery key')
    .option('--batch', 'send calls with several notices too, as to an order with callbackBatch')
    .option('--print-keys', 'write deliveryKeys for the receiver, and end');
  withJunit(command)
    .addHelpText('after', HELP)
    .action((options: OperatorArguments) => run(options, io));
}

async function run(options: OperatorArguments, io: CliIo): Promise<void> {
  const deliveryKey = await keyOfFile(options.deliveryKey);
  if (options.printKeys) {
    const document = { deliveryKeys: [deliveryKey.jwk] };
    io.answer(document, () => JSON.stringify(document, null, 2));
    return;
  }
  const { url } = options;
  if (url === undefined || URL.parse(url)?.protocol !== 'https:')
    throw new UsageError('--url is missing, or is no https URL', 'Callbacks go to https URLs alone.');
  const checks = await conformOperator({
    url,
    tls: await tlsIdentity(options),
    deliveryKey,
    now: io.now(),
    ...present({ batch: options.batch }),
  });
  await answerChecks('operator', checks, options, io);
}

/** Causes are left out: a message about a key file may quote it. */
async function keyOfFile(path: string): Promise<SigningKey> {
  const pem = Buffer.from(await readOctets(path, '--delivery-key'));
  const unusable = new UsageError(
    `--delivery-key: ${path} is no private key on P-256`,
    'Give an unencrypted EC private key in PEM.',
  );
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw unusable;
    return signingKey(key);
  } catch {
    throw unusable;
  }
}
