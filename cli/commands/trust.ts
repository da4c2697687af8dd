import { type Command, Option } from 'commander';
import { toHex } from '../../shared/codec/bytes.ts';
import { httpFetch } from '../../shared/net/http-fetch.ts';
import { MAX_CRL } from '../../shared/pki/crl.ts';
import type { RevocationPolicy } from '../../shared/pki/revocation.ts';
import { type BoundProfile, boundToEuicc, boundUnderEum } from '../../shared/service/trust/bound-profiles.ts';
import { CrlFetcher } from '../../shared/service/trust/crl-fetcher.ts';
import { BY_CLI, FOLDER_OPTION, withRuntime } from '../deployment/with-runtime.ts';
import { readDer } from '../input/files.ts';
import { collect, hexOption } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { UsageError } from '../output/failure.ts';
import { fields, table } from '../output/table.ts';

const keyIdOption = hexOption(1, 32);
const CHOICES = ['refuse', 'accept'] as const;
const FETCH_TIMEOUT_MS = 30_000;

interface Folder {
  readonly folder: string;
}

/** `smdpf trust`: roots, EUMs, revocations and our own binding certificates. */
export function registerTrust(program: Command, io: CliIo): void {
  const trust = program.command('trust').description('whom this server trusts, and which lists revoke it');
  const command = (usage: string, description: string) =>
    trust
      .command(usage)
      .description(description)
      .option(...FOLDER_OPTION);

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
            ['CI', 'signs eUICCs', 'verifies us'],
            listing.cis.map((ci) => [ci.keyId, yesNo(ci.forSigning), yesNo(ci.forVerification)]),
          ),
          table(
            ['EUM', 'party'],
            listing.eums.map((eum) => [eum.keyId, eum.party]),
          ),
          table(
            ['binding certificate', 'CI', 'state', 'key'],
            listing.dpPbs.map((dp) => [dp.sha256.slice(0, 16), dp.ciPkId, dp.state, dp.keyUri]),
          ),
          table(
            ['list of', 'number', 'revokes', 'next update'],
            listing.crls.map((crl) => [
              crl.issuerKeyId,
              crl.number.toString(),
              crl.revoked,
              `${crl.nextUpdate.toISOString()}${crl.expired ? ' (expired)' : ''}`,
            ]),
          ),
        ].join('\n\n'),
      );
    }),
  );

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
        const keyId = await runtime.trust.addCi(await readDer(file, '<certificate>'), use, BY_CLI);
        io.answer({ keyId, ...use }, `CI ${keyId} is trusted`);
      }),
    );

  command('remove-ci <key-id>', 'trust an eSIM CA no more').action((keyId: string, { folder }: Folder) =>
    withRuntime(folder, async (runtime) => {
      await runtime.trust.removeCi(normalised(keyId), BY_CLI);
      io.answer({ keyId: normalised(keyId) }, `CI ${normalised(keyId)} is not trusted`);
    }),
  );

  command('add-crl <list>', 'take in a revocation list of a CI, an EUM or a sub-CA')
    .option('--issuer <certificate>', 'chain of the issuer, itself first; may be repeated', collect)
    .action((file: string, options: Folder & { issuer?: readonly string[] }) =>
      withRuntime(options.folder, async (runtime) => {
        const chain = await Promise.all((options.issuer ?? []).map((path) => readDer(path, '--issuer')));
        const list = await readDer(file, '<list>');
        const taken = await runtime.trust.addCrl(list, chain.length === 0 ? [] : [chain], BY_CLI);
        for (const eum of taken.revokedEums)
          io.warn(`the list revokes EUM ${eum}: smdpf trust bound --eum ${eum}`);
        io.answer(
          { ...taken },
          `list ${taken.number} of ${taken.issuerKeyId}, which revokes ${taken.revoked}: ${taken.isNew ? 'taken' : 'held already'}`,
        );
      }),
    );

  command(
    'fetch-crls',
    'fetch the lists from the distribution points of the certificates in use, once',
  ).action(({ folder }: Folder) =>
    withRuntime(folder, async (runtime) => {
      const fetch = httpFetch({ timeoutMs: FETCH_TIMEOUT_MS, maxOctets: MAX_CRL });
      const points = await new CrlFetcher(runtime.trust, fetch).round();
      if (points.some(({ outcome }) => outcome === 'failed')) io.exit(EXIT.refused);
      io.answer({ points }, () =>
        table(
          ['distribution point', 'outcome', ''],
          points.map((p) => [p.point, p.outcome, p.message]),
        ),
      );
    }),
  );

  command('allow-eum <certificate>', 'put an EUM on the allow-list, by its certificate with role EUM')
    .requiredOption('--party <identifier>', 'the party that speaks for its eUICCs')
    .option('--data-key <file>', 'SubjectPublicKeyInfo of the key that signs its batches')
    .action((file: string, options: Folder & { party: string; dataKey?: string }) =>
      withRuntime(options.folder, async (runtime) => {
        const { party, dataKey } = options;
        const key = dataKey === undefined ? {} : { dataKey: await readDer(dataKey, '--data-key') };
        const certificate = await readDer(file, '<certificate>');
        const keyId = await runtime.trust.allowEum(certificate, { party, ...key }, BY_CLI);
        io.answer({ keyId, party }, `EUM ${keyId} is allowed, for ${party}`);
      }),
    );

  command('revoke-eum <key-id>', 'take an EUM off the allow-list: its unbound keys stop at once').action(
    (keyId: string, { folder }: Folder) =>
      withRuntime(folder, async (runtime) => {
        await runtime.trust.revokeEum(normalised(keyId), BY_CLI);
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
      withRuntime(folder, async (runtime) => {
        await runtime.trust.revokeEuicc(eid, BY_CLI);
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

  command('policy', 'what happens where a needed list is missing or expired; without options as it stands')
    .addOption(new Option('--missing <what>', 'refused unless told otherwise').choices(CHOICES))
    .addOption(new Option('--expired <what>', 'refused unless told otherwise').choices(CHOICES))
    .action((options: Folder & Partial<RevocationPolicy>) =>
      withRuntime(options.folder, async ({ trust: configured }) => {
        const { missing, expired } = options;
        const before = (await configured.list()).policy;
        const policy = { missing: missing ?? before.missing, expired: expired ?? before.expired };
        if (missing !== undefined || expired !== undefined) await configured.setPolicy(policy, BY_CLI);
        io.answer(policy, fields(Object.entries(policy)));
      }),
    );

  command(
    'install-dppb <certificate...>',
    'install our binding certificate, with its chain up to below the CI',
  )
    .requiredOption('--key <uri>', 'URI of the key that signs for it')
    .requiredOption('--ci <key-id>', 'SubjectKeyIdentifier of the CI', keyIdOption)
    .action((files: readonly string[], options: Folder & { key: string; ci: Uint8Array }) =>
      withRuntime(options.folder, async (runtime) => {
        const certificates = await Promise.all(files.map((file) => readDer(file, '<certificate>')));
        const { smdpOid } = await runtime.trust.installDpPb(
          { keyUri: options.key, ciPkId: options.ci, certificates },
          BY_CLI,
        );
        io.answer({ smdpOid, ciPkId: toHex(options.ci) }, `binding certificate of ${smdpOid} is installed`);
      }),
    );

  command(
    'retire-dppb <sha256>',
    'bind with a certificate no more; results are still verified with it',
  ).action((name: string, { folder }: Folder) =>
    withRuntime(folder, async (runtime) => {
      await runtime.trust.retireDpPb(name.toLowerCase(), BY_CLI);
      io.answer({ sha256: name.toLowerCase() }, 'the binding certificate is retired');
    }),
  );
}

const yesNo = (value: boolean) => (value ? 'yes' : 'no');

function normalised(keyId: string): string {
  try {
    return toHex(keyIdOption(keyId));
  } catch {
    throw new UsageError(
      'the key identifier is not 1 to 32 octets in hexadecimal',
      'smdpf trust list shows key identifiers.',
    );
  }
}

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
