import type { Command } from 'commander';
import type { TrustEntry } from '../../../shared/service/api/ops.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { type LookOptions, look, tableOr, timeText, withLookOptions } from './looking.ts';

const DAY_MS = 86_400_000;

/** `smdpf trust crls`: whether revocation lists are fresh. */
export function registerCrls(trust: Command, io: CliIo): void {
  withLookOptions(
    trust
      .command('crls')
      .description('revocation lists: which are fresh, and until when; exit code 1 unless all are'),
    io,
  ).action((options: LookOptions) =>
    look(options, io, async (inventory) => {
      const { trust: entries } = await inventory.listTrust();
      const crls = entries.filter(({ kind }) => kind === 'crl').map((crl) => described(crl, io.now()));
      if (!crls.every(({ fresh }) => fresh)) io.exit(EXIT.refused);
      const rows = crls.map((one) => [
        one.fresh ? 'fresh' : 'EXPIRED',
        one.daysLeft,
        timeText(one.nextUpdate),
        one.name,
      ]);
      const headings = ['list', 'days left', 'next update', 'of'];
      return { document: { crls }, text: tableOr('there is no list', headings, rows) };
    }),
  );
}

const described = ({ id, name, state, notAfter = '' }: TrustEntry, now: Date) => ({
  issuerKeyId: id,
  name,
  fresh: state === 'current',
  nextUpdate: notAfter,
  daysLeft: Math.floor((Date.parse(notAfter) - now.getTime()) / DAY_MS),
});
