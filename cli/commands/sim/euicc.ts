import type { Command } from 'commander';
import { readDer } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { type CardCommand, type CardOption, done } from './euicc/card-command.ts';
import { registerLoad } from './euicc/load.ts';
import { registerNotifications } from './euicc/notifications.ts';
import { registerProfiles } from './euicc/profiles.ts';
import { registerShow } from './euicc/show.ts';
import { openCard } from './folders.ts';

export function registerSimEuicc(sim: Command, io: CliIo): void {
  const euicc = sim.command('euicc').description('a strict soft eUICC, kept in a card file');
  const command: CardCommand = (name, description) =>
    euicc.command(name).description(description).requiredOption('--card <file>', 'file of the soft eUICC');
  registerShow(command, io);
  registerLoad(command, io);
  registerState(command, io);
  registerProfiles(command, io);
  registerNotifications(command, io);
}

/** FPA Services, one-time keys and revocation lists of the card. */
function registerState(command: CardCommand, io: CliIo): void {
  command('lock', 'end FPA Services for good (GENS13)').action((options: CardOption) => {
    openCard(options.card).lockFpa();
    done(io, options.card, 'FPA Services are locked');
  });

  command('delete-keys', 'erase the unused one-time keys (EUICCF03), which opens LPA Services').action(
    (options: CardOption) => {
      const count = openCard(options.card).deleteUnusedOneTimeKeys();
      done(io, options.card, `${count} one-time keys erased`, { deletedKeys: count });
    },
  );

  command('load-crl', 'ES10b.LoadCRL')
    .requiredOption('--crl <file>', 'revocation list of a CI that the card trusts')
    .action(async ({ card, crl }: CardOption & { readonly crl: string }) => {
      openCard(card, { now: io.now }).loadCrl(await readDer(crl, '--crl'));
      done(io, card, 'loaded');
    });
}
