import { type Command, Option } from 'commander';
import type { Runtime } from '../../shared/runtime.ts';
import { ACTIONS } from '../../shared/service/dual-control/actions.ts';
import type { Identity } from '../../shared/service/dual-control/administrators.ts';
import { HOURS, stateOf } from '../../shared/service/dual-control/dual-control.ts';
import { GUARDED_ACTIONS, type GuardedAction } from '../../shared/service/records/dual-control.ts';
import { IDENTITY, underDualControl, withIdentity } from '../deployment/acting-person.ts';
import { withRuntime } from '../deployment/with-runtime.ts';
import { wholeOption } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { UsageError } from '../output/failure.ts';
import { fields, table } from '../output/table.ts';
import { type Folder, folderCommands } from './folder-commands.ts';

const HELP = `
What the policy names is done by two: the first one runs the command, which leaves a request; another administrator agrees;
either of the two runs the command again. Each acts under their own key (smdpf administrator --help).

  smdpf approvals policy --guard key.retire erase trust.add
  SMDPF_IDENTITY=anna.pem smdpf keys retire --key URI        (refused; leaves request ID)
  SMDPF_IDENTITY=ben.pem smdpf approvals approve ID
  SMDPF_IDENTITY=anna.pem smdpf keys retire --key URI`;

/** `smdpf approvals`: what takes two administrators. */
export function registerApprovals(program: Command, io: CliIo): void {
  const group = program
    .command('approvals')
    .description('dual control: what takes two administrators, what waits for a second one')
    .addHelpText('after', HELP);
  const command = folderCommands(group);

  command('policy', 'which actions take two; without options as it stands')
    .addOption(
      new Option('--guard <actions...>', 'these and no other').choices(GUARDED_ACTIONS).conflicts('none'),
    )
    .option('--none', 'no action takes two')
    .option('--hours <hours>', 'for how long an approval holds', wholeOption(1, 720))
    .action((options: Folder & PolicyOptions) => policy(options, io));
  command('list', 'requests: who asked for what, who agreed, what became of it').action((options: Folder) =>
    list(options, io),
  );
  command('approve <request>', 'agree to what another administrator asked for').action(
    (id: string, { folder }: Folder) => approve(id, folder, io),
  );
  command('withdraw <request>', 'nobody is to agree to it, or to do it, any more').action(
    (id: string, { folder }: Folder) => withdraw(id, folder, io),
  );
}

interface PolicyOptions {
  readonly guard?: readonly GuardedAction[];
  readonly none?: true;
  readonly hours?: number;
}

function policy({ folder, guard, none, hours }: Folder & PolicyOptions, io: CliIo): Promise<void> {
  return withRuntime(folder, async (runtime, _deployment, by) => {
    const { dualControl } = runtime;
    const before = await dualControl.policy();
    const actions = none === true ? [] : (guard ?? before.actions);
    const changed = { actions: [...new Set(actions)].sort(), hours: hours ?? before.hours ?? HOURS };
    if (guard !== undefined || none !== undefined || hours !== undefined) {
      const subject = `policy ${changed.actions.join(' ') || 'none'} ${changed.hours}`;
      await underDualControl(runtime, by, { action: 'administrators', subject }, (begun) =>
        dualControl.setPolicy(changed, begun),
      );
    }
    const now = await dualControl.policy();
    io.answer({ ...now }, () =>
      [
        table(
          ['action', 'takes two', 'what it is'],
          GUARDED_ACTIONS.map((action) => [
            action,
            now.actions.includes(action) || (action === 'administrators' && now.actions.length > 0)
              ? 'yes'
              : 'no',
            ACTIONS[action],
          ]),
        ),
        fields([['hours that an approval holds', now.hours]]),
      ].join('\n\n'),
    );
  });
}

function list({ folder }: Folder, io: CliIo): Promise<void> {
  return withRuntime(folder, async ({ dualControl, context }) => {
    const found = (await dualControl.approvals()).map((one) => ({
      id: one.id,
      action: one.action,
      subject: one.subject,
      state: stateOf(one, context.now()),
      requestedBy: one.requestedBy,
      approvedBy: one.approvedBy,
      doneBy: one.begunBy,
      endsAt: new Date(one.endsAt).toISOString(),
    }));
    io.answer({ approvals: found }, () =>
      table(
        ['request', 'action', 'of', 'state', 'asked by', 'agreed by', 'done by', 'ends'],
        found.map((one) => Object.values(one)),
      ),
    );
  });
}

function approve(id: string, folder: string, io: CliIo): Promise<void> {
  return withRuntime(folder, async (runtime, _deployment, by) => {
    const approved = await withOwnKey(runtime, (identity) => runtime.dualControl.approve(id, by, identity));
    const { action, subject, requestedBy, approvedBy } = approved;
    io.answer({ id, action, subject, requestedBy, approvedBy }, () =>
      fields([
        ['approved', `${action} of ${subject}`],
        ['asked by', requestedBy],
        ['agreed by', approvedBy],
      ]),
    );
  });
}

function withdraw(id: string, folder: string, io: CliIo): Promise<void> {
  return withRuntime(folder, async (runtime, _deployment, by) => {
    await withOwnKey(runtime, () => runtime.dualControl.withdraw(id, by));
    io.answer({ withdrawn: id }, () => fields([['withdrawn', id]]));
  });
}

function withOwnKey<T>(runtime: Runtime, work: (identity: Identity) => Promise<T>): Promise<T> {
  return withIdentity(runtime, (identity) => {
    if (identity === undefined)
      throw new UsageError(
        `${IDENTITY} names no key: whoever agrees does so under their own`,
        'SMDPF_IDENTITY=ben.pem smdpf approvals approve …; smdpf administrator list shows who is registered.',
      );
    return work(identity);
  });
}
