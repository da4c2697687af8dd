import { type Command, Option } from 'commander';
import { present } from '../../../shared/present.ts';
import { FAILURE_KINDS, type FailureKind } from '../../../shared/service/api/ops-troubles.ts';
import { wholeOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { type LookOptions, look, moreText, tableOr, timeText, withLookOptions } from './looking.ts';
import { type ListOptions, listCommand, pageOf } from './pages.ts';

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

interface FailureOptions extends ListOptions {
  readonly since: string;
  readonly kind?: FailureKind;
  readonly code?: string;
  readonly party?: string;
  readonly ein?: string;
  readonly order?: string;
  readonly each?: true;
}

/** `smdpf failures`: what failed, why, and what to do. */
export function registerFailures(program: Command, io: CliIo): void {
  listCommand(
    program.command('failures').description('what failed and why, what each code means, and what to do'),
    io,
  )
    .option('--since <when>', 'today, a date and time in UTC, or an age such as 90m, 24h, 7d', 'today')
    .addOption(new Option('--kind <kind>', 'of this kind only').choices(FAILURE_KINDS))
    .option('--code <code>', 'of this code only, such as oneTimeKeyUnavailable')
    .option('--party <id>', 'of the calls, requests and reports of this party only')
    .option('--ein <digits>', 'of eUICCs of this EUM only: the first eight digits of its EIDs')
    .option('--order <orderId>', 'of this order only')
    .option('--each', 'one by one, page by page, in place of counts')
    .action((options: FailureOptions) =>
      look(options, io, async (inventory) => {
        const { kind, code, party, ein, order: orderId } = options;
        const filter = {
          since: sinceOf(options.since, io.now()),
          ...present({ kind, code, party, ein, orderId }),
        };
        if (options.each === true) {
          const found = await inventory.listFailures({ ...filter, ...pageOf(options) });
          const rows = found.failures.map((one) => [
            timeText(one.at),
            one.count,
            one.code,
            one.eid ?? one.iccid ?? one.function,
            one.orderId,
            one.party,
            one.detail ?? one.meaning,
          ]);
          const headings = ['when', 'times', 'code', 'of', 'order', 'party', 'why'];
          return {
            document: { ...found },
            text: tableOr('nothing failed', headings, rows) + moreText(found.cursor),
          };
        }
        const counted = await inventory.countFailures(filter);
        const rows = counted.failures.map((one) => [
          one.count,
          one.kind,
          one.code,
          one.party ?? 'nobody known',
          one.ein,
          one.meaning,
          one.todo,
        ]);
        const headings = ['times', 'kind', 'code', 'party', 'EUM (EIN)', 'what it means', 'what to do'];
        const text = tableOr('nothing failed', headings, rows);
        return { document: { ...counted }, text };
      }),
    );
}

/** `today`, a date, or how long ago. */
function sinceOf(text: string, now: Date): string {
  if (text === 'today') return `${now.toISOString().slice(0, 10)}T00:00:00Z`;
  const [, count, unit] = /^([0-9]{1,5})([mhdw])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined)
    return new Date(now.getTime() - Number(count) * (UNITS[unit] ?? 0)).toISOString();
  const at = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new UsageError(
      '--since is no time',
      'Give today, a date in UTC such as 2026-11-27 or 2026-11-27T08:00:00Z, or an age such as 90m, 24h or 7d.',
    );
  return new Date(at).toISOString();
}

/** `smdpf expiring`: what ends soon. */
export function registerExpiring(program: Command, io: CliIo): void {
  withLookOptions(
    program
      .command('expiring')
      .description('certificates and revocation lists that end soon, the next first'),
    io,
  )
    .option('--days <n>', 'within so many days', wholeOption(0, 99_999), 90)
    .action((options: LookOptions & { days: number }) =>
      look(options, io, async (inventory) => {
        const found = await inventory.listExpiring({ days: options.days });
        const rows = found.expiring.map((one) => [
          one.daysLeft,
          timeText(one.notAfter),
          one.kind,
          one.name,
          one.todo,
        ]);
        const headings = ['days left', 'until', 'what', 'whose', 'what to do'];
        const text = tableOr(`nothing ends within ${options.days} days`, headings, rows);
        return { document: { ...found }, text };
      }),
    );
}
