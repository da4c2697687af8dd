import type { CiCertificate } from '../../../shared/service/trust/anchors.ts';
import { sha256 } from '../../../shared/service/trust/trust-items.ts';
import { underDualControl } from '../../deployment/acting-person.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { hinted } from '../../output/failure.ts';
import type { Folder, FolderCommand } from '../folder-commands.ts';
import { normalised } from './command.ts';

/** eSIM CAs that are trusted. */
export function registerCi(command: FolderCommand, io: CliIo): void {
  command(
    'add-ci <certificate>',
    'trust a certificate of an eSIM CA, beside those that are trusted; both selections unless one is named',
  )
    .option('--for-signing', 'only for the chains of eUICCs')
    .option('--for-verification', 'only for our own chains')
    .action((file: string, options: Folder & { forSigning?: true; forVerification?: true }) =>
      withRuntime(options.folder, async (runtime, _deployment, by) => {
        const both = options.forSigning === undefined && options.forVerification === undefined;
        const use = {
          forSigning: both || options.forSigning === true,
          forVerification: both || options.forVerification === true,
        };
        const certificate = await readDer(file, '<certificate>', 'certificate');
        const { ci, isNew, besides } = await underDualControl(
          runtime,
          by,
          { action: 'trust.add', subject: sha256(certificate) },
          (begun) => runtime.trustAdministration.addCi(certificate, use, begun),
        );
        io.answer({ ...ci, isNew, besides }, () =>
          [
            `CI ${ci.keyId} is trusted${isNew ? '' : ' already'}, as ${ci.subject}`,
            ...besides.map((one) => `beside it, of the same key: ${described(one)}`),
          ].join('\n'),
        );
      }),
    );

  command(
    'remove-ci <key-id-or-sha256>',
    'trust an eSIM CA no more: all of its certificates by its key identifier, or one by its SHA-256',
  ).action((name: string, { folder }: Folder) =>
    withRuntime(folder, async (runtime, _deployment, by) => {
      const { keyId, removed, left } = await underDualControl(
        runtime,
        by,
        { action: 'trust.remove', subject: normalised(name) },
        (begun) =>
          hinted(
            'ciUnknown',
            'smdpf trust list shows the CIs that are trusted, with their key identifiers.',
            () => runtime.trustAdministration.removeCi(normalised(name), begun),
          ),
      );
      io.answer({ keyId, removed, left }, () =>
        [
          left.length === 0
            ? `CI ${keyId} is not trusted`
            : `of CI ${keyId} a certificate is not trusted any more`,
          ...removed.map((one) => `removed: ${described(one)}`),
          ...left.map((one) => `trusted still, of the same key: ${described(one)}`),
        ].join('\n'),
      );
    }),
  );
}

const described = ({ subject, sha256 }: CiCertificate) => `${subject} (SHA-256 ${sha256})`;
