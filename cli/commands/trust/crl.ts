import { httpFetch } from '../../../shared/net/http-fetch.ts';
import { MAX_CRL } from '../../../shared/pki/crl.ts';
import { CrlFetcher } from '../../../shared/service/trust/crl-fetcher.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { readDer } from '../../input/files.ts';
import { collect } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { table } from '../../output/table.ts';
import type { Folder, FolderCommand } from '../folder-commands.ts';

const FETCH_TIMEOUT_MS = 30_000;

/** Revocation lists, brought or fetched. */
export function registerCrl(command: FolderCommand, io: CliIo): void {
  command('add-crl <list>', 'take in a revocation list of a CI, an EUM or a sub-CA')
    .option('--issuer <certificate>', 'chain of the issuer, itself first; may be repeated', collect)
    .action((file: string, options: Folder & { issuer?: readonly string[] }) =>
      withRuntime(options.folder, async (runtime, _deployment, by) => {
        const chain = await Promise.all(
          (options.issuer ?? []).map((path) => readDer(path, '--issuer', 'certificate')),
        );
        const list = await readDer(file, '<list>', 'crl');
        const taken = await runtime.trustAdministration.addCrl(list, chain.length === 0 ? [] : [chain], by);
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
      const fetch = httpFetch(
        { timeoutMs: FETCH_TIMEOUT_MS, maxOctets: MAX_CRL },
        runtime.context.settings.destinations,
      );
      const points = await new CrlFetcher(runtime, fetch).round();
      if (points.some(({ outcome }) => outcome === 'failed')) io.exit(EXIT.refused);
      io.answer({ points }, () =>
        table(
          ['distribution point', 'outcome', ''],
          points.map((p) => [p.point, p.outcome, p.message]),
        ),
      );
    }),
  );
}
