import type { Command } from 'commander';
import { packBatch, verifyBatch } from '../delivery/batch-folder.ts';
import { folderKeys, givenKeys } from '../delivery/delivery-keys.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { fields } from '../output/table.ts';

interface FolderArguments {
  readonly folder: string;
  readonly deliveryKey?: string;
}

export function registerBatch(program: Command, io: CliIo): void {
  const batch = program.command('batch');

  batch
    .command('verify')
    .description('check manifest, parts and their index')
    .requiredOption('--folder <folder>', 'folder of `smdpf pull`')
    .option(
      '--delivery-key <file>',
      "the SM-DPf's delivery key: PEM, DER, a JWK or a JWK Set; default: what pull left in the folder",
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
  const given = deliveryKey === undefined ? undefined : await givenKeys(deliveryKey, '--delivery-key');
  const keys = given ?? (await folderKeys(folder));
  const verdict = await verifyBatch(folder, keys?.keys);
  const good = verdict.problems.length === 0;
  if (verdict.signature === 'none')
    io.warn(
      'an inline answer carries no signature: it was held against the SHA-256 that pull wrote down; who replaced the ' +
        'whole folder goes unseen',
    );
  else if (keys === undefined)
    io.warn('the signature was not checked: no --delivery-key (getServerKeys tells it)');
  else if (given === undefined)
    io.warn(
      `the key is the folder's own, from ${keys.from} when it was pulled: who replaced the whole folder goes unseen; ` +
        'compare its SHA-256, or give --delivery-key',
    );
  if (!good) io.exit(EXIT.refused);
  if (tell || !good) {
    io.answer({ ...verdict, ...(keys && { keysFrom: keys.from }) }, () =>
      fields([
        ['requestId', verdict.requestId],
        ['pages', verdict.pages],
        ['parts', verdict.parts],
        ['bound', verdict.bound],
        ['failed', verdict.failed],
        ['signature', verdict.signature],
        ['second signature', verdict.longTermSignature],
        ['SHA-256', verdict.sha256],
        ['signed by', verdict.signedBy && `the key with SHA-256 ${verdict.signedBy}`],
        ['key trusted by', given === undefined && keys ? `the folder; ${keys.from} when pulled` : keys?.from],
        ...verdict.problems.map(({ page, part, problem }): [string, string] => [
          part !== undefined
            ? `part ${part}`
            : page !== undefined
              ? `page ${page}`
              : verdict.signature === 'none'
                ? 'batch'
                : 'manifest',
          problem,
        ]),
      ]),
    );
  }
  return good;
}
