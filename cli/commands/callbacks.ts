import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { Command } from 'commander';
import { describeClient } from '../../shared/service/callbacks/client-certificate.ts';
import type { CallbackClient } from '../../shared/service/records/callback-keys.ts';
import { encodePem } from '../../sim/index.ts';
import { DevelopmentPki } from '../deployment/tls.ts';
import { withRuntime } from '../deployment/with-runtime.ts';
import { readOctets, requireFresh, writeOutput } from '../input/files.ts';
import { collect } from '../input/options.ts';
import { unwrapText } from '../input/text-form.ts';
import type { CliIo } from '../output/cli-io.ts';
import { UsageError } from '../output/failure.ts';
import { fields } from '../output/table.ts';
import { type Folder, folderCommands } from './folder-commands.ts';
import { registerStuckCallbacks } from './ops/stuck-callbacks.ts';

const HELP = `
A client certificate that your own CA issues:
  smdpf callbacks request --out callbacks.csr
  (the CA signs callbacks.csr as a TLS client; the Operator learns of it)
  smdpf callbacks install --certificate callbacks.pem`;

/** `smdpf callbacks`: how callbacks to Operators do, and the certificate by which this server makes them. */
export function registerCallbacks(program: Command, io: CliIo): void {
  const callbacks = program.command('callbacks').addHelpText('after', HELP);
  const command = folderCommands(callbacks);

  command('status', 'what waits, what was given up and why; the client certificate')
    .option('--order-id <id>', 'of this order only')
    .action((options: Folder & { orderId?: string }) => status(options, io));
  registerStuckCallbacks(callbacks, io);
  command('rotate', 'a new client key, with a certificate of the CA of the folder')
    .option('--self-signed', 'with a self-signed certificate instead, for the Operator to pin')
    .action((options: Folder & { selfSigned?: true }) => rotate(options, io));
  command(
    'request',
    'a new client key that waits, and a certification request (PKCS#10) for it; the same until it is installed',
  )
    .requiredOption('--out <file>', 'where the request goes, in PEM')
    .action((options: Folder & { out: string }) => request(options, io));
  command('install', 'take the certificate of the key that waits into use, or a key with its certificate')
    .requiredOption(
      '--certificate <file>',
      'client certificate first, then those up to its CA; may be repeated',
      collect,
    )
    .option('--key <file>', 'the private key in PEM, where it was made elsewhere')
    .action((options: Folder & { certificate: string[]; key?: string }) => install(options, io));
}

function status({ folder, orderId }: Folder & { orderId?: string }, io: CliIo): Promise<void> {
  return withRuntime(folder, async ({ services }) => {
    const { callbacks } = services;
    const [health, inUse, waiting] = await Promise.all([
      callbacks.health(orderId),
      callbacks.client.inUse(),
      callbacks.client.waiting(),
    ]);
    const client = inUse && clientDocument(inUse, io);
    if (client !== undefined && client.daysLeft < 30)
      io.warn(
        `the client certificate for callbacks ends on ${client.notAfter.slice(0, 10)}, in ${client.daysLeft} days`,
      );
    const document = { ...health, client, awaitsCertificate: waiting !== undefined };
    io.answer(document, () =>
      fields([
        ['waiting', health.more ? `${health.waiting} or more` : health.waiting],
        ['delayed', health.delayed],
        ['parked', health.parked],
        ['oldest since', health.oldest],
        ['next attempt', health.nextAttempt],
        ['last failure', health.lastFailure],
        ...(client === undefined ? [] : clientFields(client)),
        ['awaits a certificate', waiting === undefined ? undefined : 'yes: smdpf callbacks request, install'],
      ]),
    );
  });
}

function rotate({ folder, selfSigned }: Folder & { selfSigned?: true }, io: CliIo): Promise<void> {
  return withRuntime(folder, async ({ services, config }, deployment, by) => {
    const issue = async (spki: Uint8Array) => {
      const pki = await DevelopmentPki.open(deployment.path('tls'));
      return [await pki.issueClient(config.address, spki)];
    };
    const { client } = services.callbacks;
    answer(await (selfSigned ? client.replace(by) : client.replace(by, issue)), io);
  });
}

async function request({ folder, out }: Folder & { out: string }, io: CliIo): Promise<void> {
  await requireFresh(out, '--out');
  await withRuntime(folder, async ({ services }) => {
    const der = await services.callbacks.client.request();
    await writeOutput(out, encodePem('CERTIFICATE REQUEST', der), '--out', { fresh: true });
    io.answer({ request: out }, () => fields([['certification request', out]]));
  });
}

async function install(
  { folder, certificate, key }: Folder & { certificate: string[]; key?: string },
  io: CliIo,
): Promise<void> {
  const files = await Promise.all(certificate.map((file) => readOctets(file, '--certificate')));
  const certificates = files.flatMap((file) => unwrapText(file).blocks.map(({ octets }) => octets));
  const privateKey = key === undefined ? undefined : await readPrivateKey(key);
  await withRuntime(folder, async ({ services }, _deployment, by) => {
    const { client } = services.callbacks;
    answer(
      await (privateKey === undefined
        ? client.install(certificates, by)
        : client.bring(privateKey, certificates, by)),
      io,
    );
  });
}

async function readPrivateKey(path: string): Promise<KeyObject> {
  const file = await readOctets(path, '--key');
  try {
    return createPrivateKey(Buffer.from(file));
  } catch {
    // the cause might quote the file
    throw new UsageError(
      `--key: ${path} is no private key in PEM`,
      'Give it unencrypted, in PKCS#8 or SEC1.',
    );
  }
}

function answer(client: CallbackClient, io: CliIo): void {
  const document = clientDocument(client, io);
  io.answer(document, () => fields(clientFields(document)));
}

function clientDocument(client: CallbackClient, io: CliIo) {
  const { notAfterMs, ...more } = describeClient(client, io.now().getTime());
  const certificate = client.certificates.map((der) => encodePem('CERTIFICATE', der)).join('');
  return { ...more, notAfter: new Date(notAfterMs).toISOString(), certificate };
}

const clientFields = ({ subject, issuer, sha256, notAfter }: ReturnType<typeof clientDocument>) =>
  [
    ['client certificate', subject],
    ['issuer', issuer],
    ['SHA-256', sha256],
    ['ends', notAfter.slice(0, 10)],
  ] as const;
