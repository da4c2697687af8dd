import type { Command } from 'commander';
import { backUp } from '../deployment/backup.ts';
import { FOLDER_OPTION, withRuntime } from '../deployment/with-runtime.ts';
import type { CliIo } from '../output/cli-io.ts';

/** `smdpf backup`: configuration, ledger and vault, never the PPK vault. */
export function registerBackup(program: Command, io: CliIo): void {
  program
    .command('backup')
    .option(...FOLDER_OPTION)
    .requiredOption('--out <folder>', 'where to; one that is there is brought up to date')
    .action(({ folder, out }: { folder: string; out: string }) =>
      withRuntime(folder, async (runtime, deployment) => {
        const backup = await backUp(runtime, deployment, out);
        io.answer({ folder: out, ...backup }, `backed up to ${out}: ledger ${backup.ledger}`);
      }),
    );
}
