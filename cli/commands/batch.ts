import { createPublicKey } from 'node:crypto';
import type { Command } from 'commander';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { packBatch, verifyBatch } from '../delivery/batch-folder.ts';
import { readOctets } from '../input/files.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { UsageError } from '../output/failure.ts';
import { fields } from '../output/table.ts';

interface FolderArguments {
  readonly folder: string;
  readonly deliveryKey?: string;
}

export function registerBatch(program: Command, io: CliIo): void {
  const batch = program.command('batch').description('answers that `smdpf pull` fetched, with no network');

  batch
    .command('verify')
    .description('check manifest, parts and their index')
    .requiredOption('--folder <folder>', 'folder of `smdpf pull`')
    .option(
      '--delivery-key <file>',
      "the SM-DPf's delivery key: SubjectPublicKeyInfo in PEM or DER, or a JWK",
    )
    .action(async (options: FolderArguments) => {
      await check(options, io);
    });

  batch
    .command('pack')
    .description('write the parts as one batch (FF62), to be carried to where there is no network')
    .requiredOption('--folder <folder>', 'folder of `smdpf pull`')
    .requiredOption('--out <file>', 'where the batch goes')
    .option('--delivery-key <file>', 'as for verify, which comes first')
    .action(async (options: FolderArguments & { readonly out: string }) => {
      if (!(await check(options, io, false))) return;
      const size = await packBatch(options.folder, options.out);
      io.answer({ out: options.out, size }, `${options.out}: ${size} octets`);
    });
}

/** True if all holds; otherwise it is the command's answer. */
async function check({ folder, deliveryKey }: FolderArguments, io: CliIo, tell = true): Promise<boolean> {
  const key = deliveryKey === undefined ? undefined : await readPublicKey(deliveryKey);
  const verdict = await verifyBatch(folder, key);
  const good = verdict.problems.length === 0;
  if (key === undefined)
    io.warn('the signature was not checked: no --delivery-key (es2f.getServerKeys tells it)');
  if (!good) io.exit(EXIT.refused);
  if (tell || !good) {
    io.answer({ ...verdict }, () =>
      fields([
        ['requestId', verdict.requestId],
        ['parts', verdict.parts],
        ['bound', verdict.bound],
        ['failed', verdict.failed],
        ['signature', verdict.signature],
        ...verdict.problems.map(({ part, problem }): [string, string] => [
          part === undefined ? 'manifest' : `part ${part}`,
          problem,
        ]),
      ]),
    );
  }
  return good;
}

/** SubjectPublicKeyInfo in DER. */
async function readPublicKey(path: string): Promise<Bytes> {
  const octets = Buffer.from(await readOctets(path, '--delivery-key'));
  const text = octets.toString('latin1').trimStart();
  try {
    const key = text.startsWith('{')
      ? createPublicKey({ key: JSON.parse(text), format: 'jwk' })
      : text.startsWith('-----')
        ? createPublicKey(text)
        : createPublicKey({ key: octets, format: 'der', type: 'spki' });
    return key.export({ format: 'der', type: 'spki' });
  } catch (cause) {
    throw new UsageError('--delivery-key: there is no public key in the file', 'Give PEM, DER or a JWK.', {
      cause,
    });
  }
}
