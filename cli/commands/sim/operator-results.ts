import { generateKeyPairSync } from 'node:crypto';
import type { Command } from 'commander';
import type { JWK } from 'jose';
import { hybridOutputKey, Operator } from '../../../sim/index.ts';
import { readJson, writeOutput } from '../../input/files.ts';
import { publicJwk } from '../../input/jwk.ts';
import {
  answerJson,
  clientOptions,
  type ServerOptions,
  withServerOptions,
} from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import { type OutputOptions, orderOutput, orderReport } from '../party-calls/order-results.ts';

interface OrderIdOption extends ServerOptions {
  readonly orderId: string;
}

/** What comes back to an Operator: output rows for its HSS or UDM, and the signed report. */
export function registerSimOperatorResults(operator: Command, io: CliIo): void {
  operator
    .command('key')
    .description('make a key for output rows: a private JWK, P-256')
    .option('--hybrid', 'P-256 and ML-KEM-768, for orders that ask for quantum-safe eUICCs alone')
    .requiredOption('--out <file>', 'where it goes: a new file, readable by its owner alone')
    .action((options: { out: string; hybrid?: boolean }) => makeKey(options, io));

  withServerOptions(
    operator
      .command('server-keys')
      .description(
        'the keys under which the server signs, and to which rows are encrypted (ES2f.getServerKeys)',
      )
      .option('--out <file>', 'JSON, for smdpf sim operator listen and smdpf statement verify'),
    io,
  ).action((options: ServerOptions & { readonly out?: string }) => serverKeys(options, io));

  withServerOptions(
    operator
      .command('output')
      .description('fetch and decrypt the output rows of an order (ES2f.getOrderOutput)')
      .requiredOption('--order-id <id>', 'orderId')
      .requiredOption('--key <file>', 'the private JWK')
      .requiredOption('--out <file>', 'JSON lines, in clear; a new file is readable by its owner alone'),
    io,
  ).action((options: OutputOptions & OrderIdOption) => orderOutput(options.orderId, options, io));

  withServerOptions(
    operator
      .command('report')
      .description('fetch and verify the signed report about an order (ES2f.getOrderReport)')
      .requiredOption('--order-id <id>', 'orderId'),
    io,
  ).action((options: OrderIdOption) => orderReport(options.orderId, options, io));
}

async function serverKeys(options: ServerOptions & { readonly out?: string }, io: CliIo): Promise<void> {
  const client = new Operator(await clientOptions(options, io));
  const { header: _, ...keys } = await client.serverKeys();
  if (options.out !== undefined) await writeOutput(options.out, `${JSON.stringify(keys)}\n`, '--out');
  answerJson(io, keys);
}

/** The delivery keys in an answer of getServerKeys that was kept in a file. */
export async function readDeliveryKeys(path: string): Promise<JWK[]> {
  const keys = await readJson(path, '--server-keys');
  const list: unknown =
    typeof keys === 'object' && keys !== null && 'deliveryKeys' in keys ? keys.deliveryKeys : undefined;
  if (!Array.isArray(list))
    throw new UsageError(
      `--server-keys: ${path} has no deliveryKeys`,
      'Give what smdpf sim operator server-keys --out FILE wrote.',
    );
  return list;
}

async function makeKey({ out, hybrid = false }: { out: string; hybrid?: boolean }, io: CliIo): Promise<void> {
  const jwk = hybrid
    ? hybridOutputKey()
    : (generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as JWK);
  await writeOutput(out, Buffer.from(JSON.stringify(jwk)), '--out', { mode: 0o600, fresh: true });
  io.answer({ out, outputKey: publicJwk(jwk) }, () =>
    fields([
      ['written', out],
      ['outputKey', JSON.stringify(publicJwk(jwk))],
    ]),
  );
}
