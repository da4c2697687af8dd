import { type Command, Option } from 'commander';
import { present } from '../../../shared/present.ts';
import type { CallbackEntry, Inventory } from '../../../shared/service/api/ops.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import { look, moreText, tableOr, timeText, type Where, withWhere, withWork } from './looking.ts';
import { type ListOptions, listCommand, pageOf } from './pages.ts';

const STATES = ['waiting', 'parked'] as const;

interface StuckOptions extends ListOptions {
  readonly state?: (typeof STATES)[number];
  readonly orderId?: string;
}

interface ReplayOptions extends Where {
  readonly orderId?: string;
}

/** `smdpf callbacks list` and `replay`: what waits or was given up, and once more all attempts for the latter. */
export function registerStuckCallbacks(callbacks: Command, io: CliIo): void {
  listCommand(
    callbacks
      .command('list', { isDefault: true })
      .description('callbacks that wait and those that were given up, one by one, and why')
      .addOption(new Option('--state <state>', 'in this state only').choices(STATES))
      .option('--order-id <id>', 'of this order only'),
    io,
  ).action((options: StuckOptions) =>
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
      const text =
        tableOr('no callback is stuck', headings, rows) +
        (found.cursors === undefined
          ? moreText(found.cursor)
          : '\n\nthere are more: --state waiting or --state parked lists one of them page by page');
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

interface Stuck {
  readonly callbacks: readonly CallbackEntry[];
  /** Of one state that has another page. */
  readonly cursor?: string;
  /** Of both: which of them have another page. */
  readonly cursors?: { readonly waiting?: string; readonly parked?: string };
}

/** A page of one state, or the first page of both. */
async function listed(inventory: Inventory, { state, orderId, ...options }: StuckOptions): Promise<Stuck> {
  const request = { ...pageOf(options), ...present({ orderId }) };
  if (state !== undefined) return await inventory.listCallbacks({ ...request, state });
  if (options.cursor !== undefined)
    throw new UsageError('--cursor is of one state', 'Name it with --state waiting or --state parked.');
  const parked = await inventory.listCallbacks({ ...request, state: 'parked' });
  const waiting = await inventory.listCallbacks({ ...request, state: 'waiting' });
  const cursors = present({ parked: parked.cursor, waiting: waiting.cursor });
  return {
    callbacks: [...parked.callbacks, ...waiting.callbacks],
    ...(Object.keys(cursors).length > 0 && { cursors }),
  };
}

const PAGE = 1_000;

async function replay({ orderId, ...where }: ReplayOptions, io: CliIo): Promise<void> {
  const input = { limit: PAGE, ...present({ orderId }) };
  const replayed = await withWork(where, io, {
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
