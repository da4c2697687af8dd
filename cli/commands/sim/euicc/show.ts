import { toHex } from '../../../../shared/codec/bytes.ts';
import { fileStore, oneTimeKeyOf } from '../../../../sim/euicc/state.ts';
import { publicOctets } from '../../../../sim/index.ts';
import { writeOutput } from '../../../input/files.ts';
import type { CliIo } from '../../../output/cli-io.ts';
import { fields, table } from '../../../output/table.ts';
import { openCard } from '../folders.ts';
import type { CardCommand, CardOption } from './card-command.ts';

export function registerShow(command: CardCommand, io: CliIo): void {
  command('show', 'say what is on the card: one-time keys that are left, profiles, notifications')
    .option('--cert-out <file>', 'write CERT.EUICC there, DER')
    .action((options: CardOption & { readonly certOut?: string }) => show(options, io));
}

async function show(options: CardOption & { readonly certOut?: string }, io: CliIo): Promise<void> {
  const card = openCard(options.card);
  const state = fileStore(options.card).load();
  if (options.certOut !== undefined) await writeOutput(options.certOut, card.euiccCert, '--cert-out');
  const oneTimeKeys = state.oneTimeKeys.map((record) => ({
    keyId: record.keyId,
    suite: oneTimeKeyOf(record).suite,
    otPk: toHex(publicOctets(oneTimeKeyOf(record))),
    ...(record.boundTo && { boundTo: record.boundTo.transactionId }),
  }));
  const profiles = state.profiles.map(({ iccid, isdpAid, enabled, upp }) => ({
    iccid,
    isdpAid,
    enabled,
    length: upp.length / 2,
  }));
  const pending = state.notifications.map(({ seqNumber }) => seqNumber);
  const document = {
    eid: state.eid,
    fpaLocked: state.fpaLocked,
    oneTimeKeys,
    profiles,
    notifications: pending,
  };
  io.answer(document, () =>
    [
      fields([
        ['eid', state.eid],
        ['FPA Services', state.fpaLocked ? 'locked' : 'open'],
        ['LPA Services', oneTimeKeys.length > 0 ? 'closed while one-time keys are left' : 'open'],
        ['notifications', pending.length === 0 ? 'none' : pending.join(', ')],
      ]),
      ...(oneTimeKeys.length > 0
        ? [
            table(
              ['keyId', 'suite', 'otPk'],
              oneTimeKeys.map(({ keyId, suite, otPk }) => [keyId, suite, shortened(otPk)]),
            ),
          ]
        : []),
      ...(profiles.length > 0
        ? [
            table(
              ['iccid', 'isdpAid', 'state', 'octets'],
              profiles.map((profile) => [
                profile.iccid,
                profile.isdpAid,
                profile.enabled ? 'enabled' : 'disabled',
                profile.length,
              ]),
            ),
          ]
        : []),
    ].join('\n\n'),
  );
}

/** The point of a hybrid key; all of it is in the document. */
const shortened = (otPk: string) => (otPk.length > 130 ? `${otPk.slice(0, 130)}…` : otPk);
