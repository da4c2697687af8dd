import { toHex } from '../../../shared/codec/bytes.ts';
import { dpName } from '../../../shared/service/trust/trust-items.ts';
import { underDualControl } from '../../deployment/acting-person.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import type { Folder, FolderCommand } from '../folder-commands.ts';
import { keyIdOption } from './command.ts';

/** Our own binding certificates. */
export function registerDpPb(command: FolderCommand, io: CliIo): void {
  command(
    'install-dppb <certificate...>',
    'install our binding certificate, with its chain up to below the CI',
  )
    .requiredOption('--key <uri>', 'URI of the key that signs for it')
    .requiredOption('--ci <key-id>', 'SubjectKeyIdentifier of the CI', keyIdOption)
    .action((files: readonly string[], options: Folder & { key: string; ci: Uint8Array }) =>
      withRuntime(options.folder, async (runtime, _deployment, by) => {
        const certificates = await Promise.all(
          files.map((file) => readDer(file, '<certificate>', 'certificate')),
        );
        const dp = { keyUri: options.key, ciPkId: options.ci, certificates };
        const { smdpOid } = await underDualControl(
          runtime,
          by,
          { action: 'key.install', subject: dpName(dp) },
          (begun) => runtime.trustAdministration.installDpPb(dp, begun),
        );
        io.answer({ smdpOid, ciPkId: toHex(options.ci) }, `binding certificate of ${smdpOid} is installed`);
      }),
    );

  command(
    'retire-dppb <sha256>',
    'bind with a certificate no more; results are still verified with it',
  ).action((name: string, { folder }: Folder) =>
    withRuntime(folder, async (runtime, _deployment, by) => {
      const subject = name.toLowerCase();
      await underDualControl(runtime, by, { action: 'key.retire', subject }, (begun) =>
        runtime.trustAdministration.retireDpPb(subject, begun),
      );
      io.answer({ sha256: name.toLowerCase() }, 'the binding certificate is retired');
    }),
  );
}
