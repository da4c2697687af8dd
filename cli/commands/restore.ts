import { type Command, Option } from 'commander';
import type { Runtime } from '../../shared/runtime.ts';
import {
  planRestore,
  type RestorePlan,
  type RestoreResult,
  type RestoreStep,
  restore,
} from '../../shared/service/restore/restore.ts';
import { personOf, underDualControl } from '../deployment/acting-person.ts';
import { putBack } from '../deployment/backup.ts';
import { remakeConfig } from '../deployment/remake-config.ts';
import { CONFIG_OPTION, openRuntimeOf, type Where } from '../deployment/where.ts';
import type { CliIo } from '../output/cli-io.ts';
import type { Progress } from '../output/progress.ts';
import { fields, table } from '../output/table.ts';
import { folderCommands } from './folder-commands.ts';

/** `smdpf restore`: a ledger from a backup, brought up to date before anything is bound on it (I9). */
export function registerRestore(program: Command, io: CliIo): void {
  const group = program.command('restore');
  const inFolder = folderCommands(group);
  const command = (usage: string, description: string) =>
    inFolder(usage, description)
      .option(...CONFIG_OPTION)
      .addOption(new Option('--ledger <uri>', 'another ledger than that of --config: the restored table'));

  inFolder('put', 'put a backup into its folder, or a new one; the folder’s server has to be stopped')
    .requiredOption('--from <folder>', 'what smdpf backup made')
    .action(({ folder, from }: { folder: string; from: string }) => put(folder, from, io));
  inFolder('config', 'make a lost config.json again, from what the stores say of themselves').action(
    ({ folder }: { folder: string }) => config(folder, io),
  );
  command('plan', 'say whether the ledger is frozen and what it lacks; changes nothing').action(
    (where: Where) => plan(where, io),
  );
  command(
    'freeze',
    'let nobody change the ledger, such as the old one before another takes its place',
  ).action((where: Where) => freeze(where, io));
  command(
    'run',
    'replay what the vault knows, close what cannot be reconciled, and thaw; may be repeated',
  ).action((where: Where) => run(where, io));
}

async function put(folder: string, from: string, io: CliIo): Promise<void> {
  await putBack(folder, from);
  await withLedger({ folder }, async ({ standing }) => {
    const frozen = await standing.freeze('put back from a backup, and not reconciled');
    io.answer({ frozen: frozen.why }, 'the ledger is put back and frozen; go on with smdpf restore run');
  });
}

async function config(folder: string, io: CliIo): Promise<void> {
  const made = await remakeConfig(folder);
  for (const warning of made.warnings) io.warn(warning);
  io.answer({ ...made }, () =>
    fields([
      ['config.json', made.file],
      ['deployment', made.deployment],
      ['address', made.address],
      ['by what is said in', made.from],
    ]),
  );
}

function plan(where: Where, io: CliIo): Promise<void> {
  return withLedger(where, async ({ unguarded, standing }) => {
    const found = await planRestore(unguarded, standing);
    warnOfLostKeys(found, io);
    io.answer({ ...found, frozen: found.frozen ?? null }, () =>
      fields([
        ['frozen', found.frozen ?? 'no'],
        ['commits to replay', String(found.commits)],
        ['jobs that it does not know', String(found.jobs)],
        ['orders that it does not know', String(found.orders)],
      ]),
    );
  });
}

function warnOfLostKeys({ lostKeys }: Pick<RestorePlan, 'lostKeys'>, io: CliIo): void {
  for (const { keyUri, dataKeys, why } of lostKeys)
    io.warn(
      `the wrapping key ${keyUri} is not there (${why}): ${dataKeys} data keys of this ledger open with it alone; bring it back`,
    );
}

function freeze(where: Where, io: CliIo): Promise<void> {
  return withLedger(where, async ({ standing }) => {
    const { why } = await standing.freeze('frozen by hand');
    io.answer({ frozen: why }, `frozen: ${why}; processes at work follow within half a minute`);
  });
}

function run(where: Where, io: CliIo): Promise<void> {
  return withLedger(where, async (runtime) => {
    const { unguarded, standing, audit, config } = runtime;
    const by = await personOf(runtime, 'cli');
    const guarded = { action: 'restore', subject: config.deployment } as const;
    const result = await underDualControl(runtime, by, guarded, (begun) =>
      restore(unguarded, standing, showing(io), begun),
    );
    await audit.chain();
    warnOfLostKeys(result, io);
    for (const { eid, keyId } of result.twice) io.warn(`one-time key ${keyId} of ${eid} is bound twice`);
    if (result.problems.length > 0)
      io.warn(`${result.problems.length} commits could be taken on only in part`);
    if (result.toRepeat.length > 0)
      io.warn('changes by administrators since the backup have to be made again');
    io.answer({ ...result }, () => resultText(result));
  });
}

function resultText({
  auditLines,
  orders,
  jobs,
  commits,
  bound,
  positions,
  problems,
  toRepeat,
}: RestoreResult) {
  const parts = [
    fields([
      ['audit lines taken back', String(auditLines)],
      ['orders restored', String(orders.restored)],
      ['orders closed', orders.closed.join(' ') || 'none'],
      ['jobs restored', String(jobs)],
      ['commits replayed', `${commits}, with ${bound} bound profiles`],
      ['positions taken', String(positions.taken)],
      ['positions given back', String(positions.returned)],
      ['profiles closed', String(positions.closed)],
    ]),
  ];
  if (problems.length > 0)
    parts.push(
      table(
        ['commit', 'problem'],
        problems.map((one) => [one.commit, one.problem]),
      ),
    );
  if (toRepeat.length > 0)
    parts.push(
      table(
        ['audit line', 'to be done again'],
        toRepeat.map((one) => [one.sequence, one.event]),
      ),
    );
  return parts.join('\n\n');
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
  // a PPK vault that is lost gets its identity again at the end of a restore
  const runtime = await openRuntimeOf(where, ['ppks']);
  try {
    return await work(runtime);
  } finally {
    await runtime.close();
  }
}
