import { Option } from 'commander';
import { toHex } from '../../../shared/codec/bytes.ts';
import { decodeCertificate } from '../../../shared/pki/certificate.ts';
import {
  type BoundProfile,
  boundToEuicc,
  boundUnderEum,
} from '../../../shared/service/trust/bound-profiles.ts';
import { sha256 } from '../../../shared/service/trust/trust-items.ts';
import { underDualControl } from '../../deployment/acting-person.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { readDer } from '../../input/files.ts';
import { warnOf } from '../../output/answer-warning.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { table } from '../../output/table.ts';
import type { Folder, FolderCommand } from '../folder-commands.ts';
import { normalised } from './command.ts';

interface AllowEumOptions {
  readonly party: string;
  readonly dataKey?: string;
  readonly signature: 'required' | 'optional';
}

/** EUMs and eUICCs, and what is bound to them when they are revoked. */
export function registerEum(command: FolderCommand, io: CliIo): void {
  command(
    'allow-eum <certificate>',
    'put an EUM on the allow-list, by a certificate of its key with role EUM',
  )
    .requiredOption('--party <identifier>', 'the party that speaks for its eUICCs')
    .option('--data-key <file>', 'SubjectPublicKeyInfo of the key that signs its batches')
    .addOption(
      new Option('--signature <rule>', 'whether its batches need the signature of the data key')
        .choices(['required', 'optional'] as const)
        .default('required'),
    )
    .action((file: string, options: Folder & AllowEumOptions) =>
      withRuntime(options.folder, async (runtime, _deployment, by) => {
        const { party, dataKey, signature } = options;
        if (signature === 'optional' && dataKey === undefined)
          throw new UsageError('--signature goes with --data-key', 'Without a data key nothing is signed.');
        const key =
          dataKey === undefined
            ? {}
            : { dataKey: await readDer(dataKey, '--data-key', 'publicKey'), dataSignature: signature };
        const certificate = await readDer(file, '<certificate>', 'certificate');
        const keyId = await underDualControl(
          runtime,
          by,
          { action: 'trust.add', subject: sha256(certificate) },
          (begun) => runtime.trustAdministration.allowEum(certificate, { party, ...key }, begun),
        );
        const issuer = issuerOf(certificate);
        if (!(await runtime.trust.list()).cis.some((ci) => ci.keyId === issuer))
          warnOf(io, {
            code: 'ciNotTrusted',
            message: `its issuer ${issuer} is no trusted CI; unless it is a sub-CA of one, its eUICCs are refused until smdpf trust add-ci`,
          });
        io.answer({ keyId, party }, `EUM ${keyId} is allowed, for ${party}`);
      }),
    );

  command('revoke-eum <key-id>', 'take an EUM off the allow-list: its unbound keys stop at once').action(
    (keyId: string, { folder }: Folder) =>
      withRuntime(folder, async (runtime, _deployment, by) => {
        const subject = normalised(keyId);
        await underDualControl(runtime, by, { action: 'trust.remove', subject }, (begun) =>
          runtime.trustAdministration.revokeEum(subject, begun),
        );
        const bound: BoundProfile[] = [];
        for await (const profile of boundUnderEum(runtime.context, normalised(keyId))) bound.push(profile);
        io.answer(
          { keyId: normalised(keyId), bound },
          () => `EUM ${normalised(keyId)} is revoked\n\n${boundTable(bound)}`,
        );
      }),
  );

  command('revoke-euicc <eid>', 'stop one eUICC for good: its unbound keys stop at once').action(
    (eid: string, { folder }: Folder) =>
      withRuntime(folder, async (runtime, _deployment, by) => {
        await underDualControl(runtime, by, { action: 'trust.remove', subject: eid }, (begun) =>
          runtime.trustAdministration.revokeEuicc(eid, begun),
        );
        const bound: BoundProfile[] = [];
        for await (const profile of boundToEuicc(runtime.context, eid)) bound.push(profile);
        io.answer({ eid, bound }, () => `eUICC ${eid} is revoked\n\n${boundTable(bound)}`);
      }),
  );

  command('bound', 'profiles that are bound under an EUM, or to an eUICC')
    .addOption(new Option('--eum <key-id>', 'SubjectKeyIdentifier of the EUM or sub-CA').conflicts('eid'))
    .addOption(new Option('--eid <eid>', 'the eUICC'))
    .action((options: Folder & { eum?: string; eid?: string }) =>
      withRuntime(options.folder, async (runtime) => {
        const { eum, eid } = options;
        if (eum === undefined && eid === undefined)
          throw new UsageError('--eum or --eid is needed', 'smdpf trust list shows the EUMs.');
        const found =
          eid === undefined
            ? boundUnderEum(runtime.context, normalised(eum ?? ''))
            : boundToEuicc(runtime.context, eid);
        const bound: BoundProfile[] = [];
        for await (const profile of found) bound.push(profile);
        io.answer({ bound }, () => boundTable(bound));
      }),
    );
}

const issuerOf = (certificate: Uint8Array) =>
  toHex(
    decodeCertificate(certificate, 'eumCertificateInvalid').extensions.authorityKeyIdentifier ?? Buffer.of(),
  );

const boundTable = (bound: readonly BoundProfile[]) =>
  table(
    ['order', 'ICCID', 'EID', 'device manufacturer', 'bound'],
    bound.map(({ orderId, iccid, eid, party, boundAt }) => [
      orderId,
      iccid,
      eid,
      party,
      boundAt.toISOString(),
    ]),
  );
