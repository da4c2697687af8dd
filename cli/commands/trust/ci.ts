import { BY_CLI, withRuntime } from '../../deployment/with-runtime.ts';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { type Folder, normalised, type TrustCommand } from './command.ts';

/** eSIM CAs that are trusted. */
export function registerCi(command: TrustCommand, io: CliIo): void {
  command('add-ci <certificate>', 'trust an eSIM CA; both selections unless one is named')
    .option('--for-signing', 'only for the chains of eUICCs')
    .option('--for-verification', 'only for our own chains')
    .action((file: string, options: Folder & { forSigning?: true; forVerification?: true }) =>
      withRuntime(options.folder, async (runtime) => {
        const both = options.forSigning === undefined && options.forVerification === undefined;
        const use = {
          forSigning: both || options.forSigning === true,
          forVerification: both || options.forVerification === true,
        };
        const keyId = await runtime.trust.addCi(
          await readDer(file, '<certificate>', 'certificate'),
          use,
          BY_CLI,
        );
        io.answer({ keyId, ...use }, `CI ${keyId} is trusted`);
      }),
    );

  command('remove-ci <key-id>', 'trust an eSIM CA no more').action((keyId: string, { folder }: Folder) =>
    withRuntime(folder, async (runtime) => {
      await runtime.trust.removeCi(normalised(keyId), BY_CLI);
      io.answer({ keyId: normalised(keyId) }, `CI ${normalised(keyId)} is not trusted`);
    }),
  );
}
