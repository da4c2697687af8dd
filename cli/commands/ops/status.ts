import type { Command } from 'commander';
import type { Overview } from '../../../shared/service/api/ops.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { fields, table } from '../../output/table.ts';
import { countsText, type LookOptions, look, timeText, withLookOptions } from './looking.ts';

/** `smdpf status`: is all well, and what is there. */
export function registerStatus(program: Command, io: CliIo): void {
  withLookOptions(
    program
      .command('status')
      .description(
        'whether all is well; stock, what today changed, work, callbacks, failures, what ends soon',
      ),
    io,
  ).action((options: LookOptions) =>
    look(options, io, async (inventory) => {
      const overview = await inventory.getOverview();
      if (!overview.health.ready) io.exit(EXIT.refused);
      return { document: { ...overview }, text: textOf(overview) };
    }),
  );
}

function textOf(overview: Overview): string {
  const { health, orders, stock, today, openWork, callbacks, failures, slowKeys, expiring } = overview;
  const ill = health.checks.filter(({ state }) => state === 'ill');
  return [
    health.ready ? 'all is well' : 'NOT WELL',
    ...(ill.length === 0
      ? []
      : [
          table(
            ['ill', 'why'],
            ill.map(({ name, problem }) => [name, problem]),
          ),
        ]),
    fields([
      ['at', timeText(overview.at)],
      ['orders', countsText(orders) || 'none'],
      ['profiles', countsText(stock) || 'none'],
      ['today', countsText(today) || 'nothing changed'],
      ['under way', countsText(openWork) || 'nothing'],
      ['callbacks', `${callbacks.waiting} wait, ${callbacks.parked} were given up`],
      ['failures today', failures.reduce((sum, { count }) => sum + count, 0)],
      [
        'slow keys',
        slowKeys.length === 0
          ? 'none'
          : slowKeys
              .map(({ key, call, reason, times }) => `${key} (${call} ${times} times, ${reason})`)
              .join(', '),
      ],
      [
        'ends within 30 days',
        expiring.length === 0 ? 'nothing' : expiring.map(({ name }) => name).join(', '),
      ],
    ]),
  ].join('\n\n');
}
