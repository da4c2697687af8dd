import { Option } from 'commander';
import type { RevocationPolicy } from '../../../shared/pki/revocation.ts';
import { policySubject } from '../../../shared/service/trust/trust-administration.ts';
import { underDualControl } from '../../deployment/acting-person.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { fields, table } from '../../output/table.ts';
import type { Folder, FolderCommand } from '../folder-commands.ts';

const CHOICES = ['refuse', 'accept'] as const;

/** What is configured, and the policy for lists that are missing. */
export function registerList(command: FolderCommand, io: CliIo): void {
  command('list', 'everything that is configured, and what is not usable now').action(({ folder }: Folder) =>
    withRuntime(folder, async (runtime) => {
      const listing = await runtime.trust.list();
      for (const problem of listing.problems) io.warn(problem);
      io.answer({ ...listing }, () =>
        [
          fields([
            ['lists', `missing: ${listing.policy.missing}, expired: ${listing.policy.expired}`],
            ['epoch', listing.epoch],
          ]),
          table(
            ['CI', 'signs eUICCs', 'verifies us', 'until', 'name', 'certificate'],
            listing.cis.map((ci) => [
              ci.keyId,
              yesNo(ci.forSigning),
              yesNo(ci.forVerification),
              ci.notAfter.toISOString().slice(0, 10),
              ci.subject,
              ci.sha256,
            ]),
          ),
          table(
            ['EUM', 'party', 'certificates'],
            listing.eums.map((eum) => [
              eum.keyId,
              eum.party,
              eum.certificates.map((name) => name.slice(0, 16)).join(' '),
            ]),
          ),
          table(
            ['binding certificate', 'CI', 'state', 'key'],
            listing.dpPbs.map((dp) => [dp.sha256.slice(0, 16), dp.ciPkId, dp.state, dp.keyUri]),
          ),
          table(
            ['list of', 'number', 'revokes', 'next update', 'name'],
            listing.crls.map((crl) => [
              crl.issuerKeyId,
              crl.number.toString(),
              crl.revoked,
              `${crl.nextUpdate.toISOString()}${crl.expired ? ' (expired)' : ''}`,
              crl.issuer,
            ]),
          ),
        ].join('\n\n'),
      );
    }),
  );

  command('policy', 'what happens where a needed list is missing or expired; without options as it stands')
    .addOption(new Option('--missing <what>', 'refused unless told otherwise').choices(CHOICES))
    .addOption(new Option('--expired <what>', 'refused unless told otherwise').choices(CHOICES))
    .action((options: Folder & Partial<RevocationPolicy>) =>
      withRuntime(options.folder, async (runtime, _deployment, by) => {
        const { trust, trustAdministration } = runtime;
        const { missing, expired } = options;
        const before = (await trust.list()).policy;
        const policy = { missing: missing ?? before.missing, expired: expired ?? before.expired };
        const guarded = { action: 'trust.add', subject: policySubject(policy) } as const;
        if (missing !== undefined || expired !== undefined)
          await underDualControl(runtime, by, guarded, (begun) =>
            trustAdministration.setPolicy(policy, begun),
          );
        io.answer(policy, fields(Object.entries(policy)));
      }),
    );
}

const yesNo = (value: boolean) => (value ? 'yes' : 'no');
