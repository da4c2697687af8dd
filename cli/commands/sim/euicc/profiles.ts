import { toHex } from '../../../../shared/codec/bytes.ts';
import { writeOutput } from '../../../input/files.ts';
import type { CliIo } from '../../../output/cli-io.ts';
import { UsageError } from '../../../output/failure.ts';
import { openCard } from '../folders.ts';
import { type CardCommand, type CardOption, done } from './card-command.ts';
import { writeNotifications } from './notifications.ts';

interface IccidOption extends CardOption {
  readonly iccid: string;
}

/** Profiles that are installed, by ES10c and as they were recovered. */
export function registerProfiles(command: CardCommand, io: CliIo): void {
  command('enable', 'ES10c.EnableProfile')
    .requiredOption('--iccid <digits>', 'profile')
    .action(({ card, iccid }: IccidOption) => {
      openCard(card).enableProfile(iccid);
      done(io, card, 'enabled', { iccid });
    });

  command('disable', 'ES10c.DisableProfile')
    .requiredOption('--iccid <digits>', 'profile')
    .action(({ card, iccid }: IccidOption) => {
      openCard(card).disableProfile(iccid);
      done(io, card, 'disabled', { iccid });
    });

  command('delete', 'ES10c.DeleteProfile; writes the notifications that it makes')
    .requiredOption('--iccid <digits>', 'profile')
    .option('--fpa', 'as an FPA Service, for the return to stock of a device that still has one-time keys')
    .option('--out <dir>', 'folder for notification-<n>.der')
    .action((options: IccidOption & { readonly fpa?: boolean; readonly out?: string }) =>
      deleteProfile(options, io),
    );

  command('extract', 'write an installed profile as it was recovered, to compare it octet by octet')
    .requiredOption('--iccid <digits>', 'profile')
    .requiredOption('--out <file>', 'where the Unprotected Profile Package goes')
    .action(async ({ card, iccid, out }: IccidOption & { readonly out: string }) => {
      const upp = openCard(card).installedProfile(iccid);
      if (upp === undefined)
        throw new UsageError(
          '--iccid is not installed on this card',
          'smdpf sim euicc show lists the profiles.',
        );
      await writeOutput(out, upp, '--out', { mode: 0o600 });
      done(io, card, `${upp.length} octets in ${out}`, { iccid, out, length: upp.length });
    });
}

async function deleteProfile(
  options: IccidOption & { readonly fpa?: boolean; readonly out?: string },
  io: CliIo,
): Promise<void> {
  const { card, iccid, fpa, out } = options;
  const signed = openCard(card).deleteProfile(iccid, fpa ? 'fpa' : 'lpa');
  const files = await writeNotifications(
    out,
    signed.map((octets, index) => [index + 1, octets]),
  );
  done(io, card, `deleted, ${signed.length} notifications`, {
    iccid,
    notifications: signed.map(toHex),
    files,
  });
}
