import { join } from 'node:path';
import { type Bytes, toHex } from '../../../../shared/codec/bytes.ts';
import { present } from '../../../../shared/present.ts';
import { FieldDevice } from '../../../../sim/index.ts';
import { writeOutput } from '../../../input/files.ts';
import { clientOptions, type ServerOptions } from '../../../input/server-options.ts';
import type { CliIo } from '../../../output/cli-io.ts';
import { EXIT } from '../../../output/exit-codes.ts';
import { fields } from '../../../output/table.ts';
import { openCard } from '../folders.ts';
import type { CardCommand, CardOption } from './card-command.ts';

export function registerNotifications(command: CardCommand, io: CliIo): void {
  command('notifications', 'write the pending notifications, or send them to a server (ES9+)')
    .option('--out <dir>', 'folder for notification-<n>.der')
    .option('--url <url>', 'send them there, and remove those that were taken')
    .option('--tls-ca <file>', 'PEM: the CA that the server certificate is verified with')
    .action((options: NotificationsOptions) => notifications(options, io));
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
    const device = new FieldDevice(await clientOptions({ ...options, url }, io));
    for (const { seqNumber, signed } of pending) {
      const { httpStatus, status, message } = await device.handleNotification(signed);
      const taken = httpStatus === 204;
      if (taken) card.removeNotification(seqNumber);
      else io.exit(EXIT.refused);
      sent.push({ seqNumber, httpStatus, status, ...present({ message }) });
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

export async function writeNotifications(
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
