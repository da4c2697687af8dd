import { type Command, Option } from 'commander';
import { present } from '../../../shared/present.ts';
import type { CallbackEntry, Inventory } from '../../../shared/service/api/ops.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { fields, table } from '../../output/table.ts';
import {
  type LookOptions,
  look,
  moreText,
  timeText,
  type Where,
  withLookOptions,
  withWhere,
  withWork,
} from './looking.ts';

const STATES = ['waiting', 'parked'] as const;

interface ListOptions extends LookOptions {
  readonly state?: (typeof STATES)[number];
  readonly orderId?: string;
}

interface ReplayOptions extends Where {
  readonly orderId?: string;
}

/** `smdpf callbacks list` and `replay`: what waits or was given up, and once more all attempts for the latter. */
export function registerStuckCallbacks(callbacks: Command, io: CliIo): void {
  withLookOptions(
    callbacks
      .command('list')
      .description('callbacks that wait and those that were given up, one by one, and why')
      .addOption(new Option('--state <state>', 'in this state only').choices(STATES))
      .option('--order-id <id>', 'of this order only'),
    io,
  ).action((options: ListOptions) =>
    look(options, io, async (inventory) => {
      const found = await listed(inventory, options);
      const rows = found.callbacks.map((one) => [
        one.orderId,
        one.state === 'parked' ? 'given up' : 'waits',
        one.attempts,
        timeText(one.state === 'parked' ? one.parkedAt : one.dueAt),
        one.to,
        one.reason,
      ]);
      const headings = ['order', 'state', 'attempts', 'given up, or due', 'to', 'why'];
      const text = rows.length === 0 ? 'no callback is stuck' : table(headings, rows) + moreText(found.more);
      return { document: { ...found }, text };
    }),
  );
  withWhere(
    callbacks
      .command('replay')
      .description('post callbacks again that were given up, the same octets')
      .option('--order-id <id>', 'of this order only'),
    io,
  ).action((options: ReplayOptions) => replay(options, io));
}

/** Of each state the first page. */
async function listed(inventory: Inventory, { state, orderId }: ListOptions) {
  const callbacks: CallbackEntry[] = [];
  let more: string | undefined;
  for (const one of state === undefined ? STATES : [state]) {
    const answer = await inventory.listCallbacks({ state: one, ...present({ orderId }) });
    callbacks.push(...answer.callbacks);
    more ??= answer.cursor;
  }
  return { callbacks, ...present({ more }) };
}

const PAGE = 1_000;

async function replay({ orderId, ...where }: ReplayOptions, io: CliIo): Promise<void> {
  const input = { limit: PAGE, ...present({ orderId }) };
  const replayed = await withWork(where, {
    folder: ({ services }, by) => inPages(() => services.callbacks.replayCallbacks(by, input)),
    server: (client) => inPages(() => client.execute('admin', 'replayCallbacks', input)),
  });
  io.answer({ replayed }, () => fields([['replayed', replayed]]));
}

async function inPages(
  page: () => Promise<{ readonly replayed?: unknown; readonly more?: unknown }>,
): Promise<number> {
  for (let total = 0; ; ) {
    const { replayed, more } = await page();
    total += Number(replayed);
    if (more !== true) return total;
  }
}
