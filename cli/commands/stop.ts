import type { Command } from 'commander';
import { DeploymentFolder } from '../deployment/folder.ts';
import { requestStop } from '../deployment/stop-request.ts';
import { FOLDER_OPTION } from '../deployment/with-runtime.ts';
import { wholeOption } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { UsageError } from '../output/failure.ts';

/** `smdpf stop`: ends a server whatever has started it, such as npx, a script or a terminal that is gone. */
export function registerStop(program: Command, io: CliIo): void {
  program
    .command('stop')
    .option(...FOLDER_OPTION)
    .option('--release <version>', 'only a server of this release, where two of them have the folder open')
    .option('--timeout <seconds>', 'how long a server has to take the request', wholeOption(1, 600), 30)
    .action(async ({ folder, release, timeout }: { folder: string; release?: string; timeout: number }) => {
      const deployment = await DeploymentFolder.existing(folder);
      if (!(await requestStop(deployment.folder, timeout * 1000, release)))
        throw new UsageError(
          `no server of ${folder}${release === undefined ? '' : ` of release ${release}`} answered within ${timeout} s`,
          'It may have ended already; smdpf serve --folder FOLDER starts it.',
        );
      io.answer({ folder: deployment.folder, stopping: true }, `the server of ${deployment.folder} ends`);
    });
}
