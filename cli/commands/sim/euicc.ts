import { join } from 'node:path';
import type { Command } from 'commander';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { decodeProfileInstallationResult } from '../../../shared/rsp/profile-installation-result.ts';
import { fileStore } from '../../../sim/euicc/state.ts';
import { decodeLoadPackage, decodePrivateKeyPem, FieldDevice } from '../../../sim/index.ts';
import { readDer, readOctets, writeOutput } from '../../input/files.ts';
import { collect, hexOption, wholeOption } from '../../input/options.ts';
import { describeResult } from '../../inspect/final-result.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { UsageError } from '../../output/failure.ts';
import { fields, table } from '../../output/table.ts';
import { openCard } from './folders.ts';
import { type CardAnswer, type Load, loadOf, loadOfBound, loadsOfBatch, sendLoad } from './load-card.ts';
import { clientOptions, reach, type ServerOptions } from './server-options.ts';

interface CardOption {
  readonly card: string;
}

interface LoadOptions extends CardOption {
  readonly bppBatch?: string;
  readonly loadPackage?: string;
  readonly bpp?: string;
  readonly dppbCert?: readonly string[];
  readonly keyId?: Bytes;
  readonly checkValidity?: boolean;
  readonly giveUpInterrupted?: boolean;
  readonly powerCutAfter?: number;
  readonly pir?: string;
}

interface IccidOption extends CardOption {
  readonly iccid: string;
}

export function registerSimEuicc(sim: Command, io: CliIo): void {
  const euicc = sim.command('euicc').description('a strict soft eUICC, kept in a card file');
  const command = (name: string, description: string): Command =>
    euicc.command(name).description(description).requiredOption('--card <file>', 'file of the soft eUICC');

  command('show', 'say what is on the card: one-time keys that are left, profiles, notifications')
    .option('--cert-out <file>', 'write CERT.EUICC there, DER')
    .action((options: CardOption & { readonly certOut?: string }) => show(options, io));

  command('load', 'load Bound Profile Packages as an FPA does (STORE DATA, ES10f)')
    .option('--bpp-batch <file>', 'BPP batch (FF62): every item for this EID')
    .option('--bpp <file>', 'one BPP (BF36), with --load-package or --dppb-cert')
    .option('--load-package <file>', 'its load package (FF66)')
    .option('--dppb-cert <file>', 'CERT.DPpb, then the certificates above it without the CI', collect)
    .option(
      '--key-id <hex>',
      'the one-time key it is bound to (default: the first that is left)',
      hexOption(1, 16),
    )
    .option('--check-validity', 'give the eUICC a clock: certificates out of their validity are refused')
    .option(
      '--power-cut-after <apdus>',
      'the eUICC loses power once, after that many APDUs',
      wholeOption(1, 100_000),
    )
    .option(
      '--give-up-interrupted',
      'an eUICC that gives up what a power cut interrupted (error 11); default: it waits for the same BPP',
    )
    .option('--pir <file>', 'write the (last) Profile Installation Result there')
    .action((options: LoadOptions) => load(options, io));

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

  command('load-crl', 'ES10b.LoadCRL')
    .requiredOption('--crl <file>', 'revocation list of a CI that the card trusts')
    .action(async ({ card, crl }: CardOption & { readonly crl: string }) => {
      openCard(card, { now: io.now }).loadCrl(await readDer(crl, '--crl'));
      done(io, card, 'loaded');
    });

  command('notifications', 'write the pending notifications, or send them to a server (ES9+)')
    .option('--out <dir>', 'folder for notification-<n>.der')
    .option('--url <url>', 'send them there, and remove those that were taken')
    .option('--tls-ca <file>', 'PEM: the CA that the server certificate is verified with')
    .action((options: NotificationsOptions) => notifications(options, io));
}

async function show(options: CardOption & { readonly certOut?: string }, io: CliIo): Promise<void> {
  const card = openCard(options.card);
  const state = fileStore(options.card).load();
  if (options.certOut !== undefined) await writeOutput(options.certOut, card.euiccCert, '--cert-out');
  const oneTimeKeys = state.oneTimeKeys.map(({ keyId, pem, boundTo }) => ({
    keyId,
    otPk: toHex(decodePrivateKeyPem(pem).point),
    ...(boundTo && { boundTo: boundTo.transactionId }),
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
              ['keyId', 'otPk'],
              oneTimeKeys.map(({ keyId, otPk }) => [keyId, otPk]),
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

async function load(options: LoadOptions, io: CliIo): Promise<void> {
  const card = openCard(options.card, {
    ...(options.checkValidity && { now: io.now }),
    ...(options.giveUpInterrupted && { interruption: 'fail' }),
    ...(options.powerCutAfter !== undefined && { faults: { powerCutAfterApdus: options.powerCutAfter } }),
  });
  const loads = await loadsOf(options, card.eid, card.unusedKeyIds[0]);
  const results: Record<string, unknown>[] = [];
  let installed = 0;
  for (const one of loads) {
    const answer = sendLoad(card, one);
    if (typeof answer === 'object' && 'pir' in answer && options.pir !== undefined)
      await writeOutput(options.pir, answer.pir, '--pir');
    const result = describeAnswer(answer);
    if (result.result === 'success') installed++;
    results.push({ transactionId: one.transactionId, ...result });
  }
  if (installed < loads.length) io.exit(EXIT.refused);
  io.answer({ eid: card.eid, installed, failed: loads.length - installed, results }, () =>
    table(
      ['transactionId', 'result', 'command', 'reason'],
      results.map((row) => [
        String(row.transactionId),
        String(row.result),
        row.bppCommandId as string | undefined,
        (row.errorReason ?? row.statusWord) as string | undefined,
      ]),
    ),
  );
}

async function loadsOf(options: LoadOptions, eid: string, firstKey: Bytes | undefined): Promise<Load[]> {
  const { bppBatch, bpp, loadPackage, dppbCert } = options;
  if (bppBatch !== undefined && bpp === undefined) {
    const loads = loadsOfBatch(await readDer(bppBatch, '--bpp-batch'), eid);
    if (loads.length === 0)
      throw new UsageError('the batch holds no package for this card', 'smdpf inspect shows its items.');
    return loads;
  }
  if (bpp === undefined || bppBatch !== undefined || (loadPackage === undefined) === (dppbCert === undefined))
    throw new UsageError(
      'one of --bpp-batch, --bpp with --load-package, and --bpp with --dppb-cert is needed',
      'smdpf sim euicc load --help shows them.',
    );
  // a BPP is passed on whatever it is: judging it is the eUICC's part
  const package_ = await readOctets(bpp, '--bpp');
  if (loadPackage !== undefined) {
    const octets = await readDer(loadPackage, '--load-package');
    return [loadOf(decodeLoadPackage(octets).transactionId, octets, package_)];
  }
  const keyId = options.keyId ?? firstKey;
  if (keyId === undefined)
    throw new UsageError('the card has no one-time key left', 'Personalise another one.');
  const certificates = await Promise.all((dppbCert ?? []).map((file) => readDer(file, '--dppb-cert')));
  return [loadOfBound(package_, certificates, keyId)];
}

function describeAnswer(answer: CardAnswer): Record<string, unknown> {
  if (answer === 'noAnswer') return { result: 'noAnswer' };
  if ('statusWord' in answer) return { result: 'statusWord', statusWord: answer.statusWord };
  return {
    ...describeResult(decodeProfileInstallationResult(answer.pir).finalResult),
    pir: toHex(answer.pir),
  };
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

interface NotificationsOptions extends CardOption, Partial<ServerOptions> {
  readonly out?: string;
}

async function notifications(options: NotificationsOptions, io: CliIo): Promise<void> {
  const card = openCard(options.card);
  const pending = card.retrieveNotifications();
  const files = await writeNotifications(
    options.out,
    pending.map(({ seqNumber, signed }) => [seqNumber, signed]),
  );
  const sent: Record<string, unknown>[] = [];
  if (options.url !== undefined) {
    const { url } = options;
    const device = new FieldDevice(await clientOptions({ ...options, url }));
    for (const { seqNumber, signed } of pending) {
      const { httpStatus, status, message } = await reach(url, () => device.handleNotification(signed));
      const taken = httpStatus === 204;
      if (taken) card.removeNotification(seqNumber);
      else io.exit(EXIT.refused);
      sent.push({ seqNumber, httpStatus, status, ...(message !== undefined && { message }) });
    }
  }
  const document = {
    card: options.card,
    pending: pending.map(({ seqNumber, signed }) => ({ seqNumber, signed: toHex(signed) })),
    files,
    sent,
  };
  io.answer(document, () =>
    fields([
      ['pending', pending.map(({ seqNumber }) => seqNumber).join(', ') || 'none'],
      ...files.map((file) => ['written', file] as const),
      ...sent.map((one) => ['sent', `${one.seqNumber}: HTTP ${one.httpStatus} ${one.status}`] as const),
    ]),
  );
}

async function writeNotifications(
  folder: string | undefined,
  signed: readonly (readonly [number: number, octets: Bytes])[],
): Promise<string[]> {
  if (folder === undefined) return [];
  const files: string[] = [];
  for (const [number, octets] of signed) {
    const file = join(folder, `notification-${number}.der`);
    await writeOutput(file, octets, '--out');
    files.push(file);
  }
  return files;
}

function done(io: CliIo, card: string, text: string, more: Record<string, unknown> = {}): void {
  io.answer({ card, done: text, ...more }, text);
}
