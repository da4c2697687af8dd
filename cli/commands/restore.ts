import { type Command, Option } from 'commander';
import type { Runtime } from '../../shared/runtime.ts';
import { planRestore, type RestoreStep, restore } from '../../shared/service/restore/restore.ts';
import { putBack } from '../deployment/backup.ts';
import { CONFIG_OPTION, configOf, openRuntimeOf, type Where } from '../deployment/where.ts';
import { FOLDER_OPTION } from '../deployment/with-runtime.ts';
import type { CliIo } from '../output/cli-io.ts';
import type { Progress } from '../output/progress.ts';
import { fields, table } from '../output/table.ts';

/** `smdpf restore`: a ledger from a backup, brought up to date before anything is bound on it (I9). */
export function registerRestore(program: Command, io: CliIo): void {
  const group = program
    .command('restore')
    .description('bring a ledger that came from a backup up to date; frozen until then');
  const command = (name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .option(...FOLDER_OPTION)
      .option(...CONFIG_OPTION)
      .addOption(new Option('--ledger <uri>', 'another ledger than that of --config: the restored table'));

  group
    .command('put')
    .description('put the ledger of a backup in the place of the folder’s; its server has to be stopped')
    .option(...FOLDER_OPTION)
    .requiredOption('--from <folder>', 'what smdpf backup made')
    .action(async ({ folder, from }: { folder: string; from: string }) => {
      const config = await configOf({ folder });
      await putBack(config, from);
      await withLedger({ folder }, async (runtime) => {
        const frozen = await runtime.standing.freeze('put back from a backup, and not reconciled');
        io.answer({ frozen: frozen.why }, 'the ledger is put back and frozen; go on with smdpf restore run');
      });
    });

  command('plan', 'say whether the ledger is frozen and what it lacks; changes nothing').action(
    (where: Where) =>
      withLedger(where, async ({ unguarded, standing }) => {
        const plan = await planRestore(unguarded, standing);
        io.answer({ ...plan, frozen: plan.frozen ?? null }, () =>
          fields([
            ['frozen', plan.frozen ?? 'no'],
            ['commits to replay', String(plan.commits)],
            ['jobs that it does not know', String(plan.jobs)],
            ['orders that it does not know', String(plan.orders)],
          ]),
        );
      }),
  );

  command(
    'freeze',
    'let nobody change the ledger, such as the old one before another takes its place',
  ).action((where: Where) =>
    withLedger(where, async ({ standing }) => {
      const { why } = await standing.freeze('frozen by hand');
      io.answer({ frozen: why }, `frozen: ${why}; processes at work follow within half a minute`);
    }),
  );

  command(
    'run',
    'replay what the vault knows, close what cannot be reconciled, and thaw; may be repeated',
  ).action((where: Where) =>
    withLedger(where, async ({ unguarded, standing, audit }) => {
      const result = await restore(unguarded, standing, showing(io));
      await audit.chain();
      const { toRepeat, problems, twice, positions, orders } = result;
      for (const { eid, keyId } of twice) io.warn(`one-time key ${keyId} of ${eid} is bound twice`);
      if (problems.length > 0) io.warn(`${problems.length} commits could be taken on only in part`);
      if (toRepeat.length > 0) io.warn('changes by administrators since the backup have to be made again');
      io.answer({ ...result }, () =>
        [
          fields([
            ['audit lines taken back', String(result.auditLines)],
            ['orders restored', String(orders.restored)],
            ['orders closed', orders.closed.join(' ') || 'none'],
            ['jobs restored', String(result.jobs)],
            ['commits replayed', `${result.commits}, with ${result.bound} bound profiles`],
            ['positions taken', String(positions.taken)],
            ['positions given back', String(positions.returned)],
            ['profiles closed', String(positions.closed)],
          ]),
          ...(problems.length === 0
            ? []
            : [
                table(
                  ['commit', 'problem'],
                  problems.map((one) => [one.commit, one.problem]),
                ),
              ]),
          ...(toRepeat.length === 0
            ? []
            : [
                table(
                  ['audit line', 'to be done again'],
                  toRepeat.map((one) => [one.sequence, one.event]),
                ),
              ]),
        ].join('\n\n'),
      );
    }),
  );
}

/** A bar for each step whose end is known. */
function showing(io: CliIo) {
  let shown: { readonly step: RestoreStep; readonly bar: Progress } | undefined;
  return (step: RestoreStep, done: number, of: number | undefined) => {
    if (of === undefined) return;
    if (shown?.step !== step) {
      shown?.bar.end();
      shown = { step, bar: io.progress(step, of) };
    }
    shown.bar.update(done);
    if (done < of) return;
    shown.bar.end();
    shown = undefined;
  };
}

async function withLedger<Answer>(
  where: Where,
  work: (runtime: Runtime) => Promise<Answer>,
): Promise<Answer> {
  const runtime = await openRuntimeOf(where);
  try {
    return await work(runtime);
  } finally {
    await runtime.close();
  }
}
