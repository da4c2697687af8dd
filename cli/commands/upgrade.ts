import { type Command, Option } from 'commander';
import type { StoredForms } from '../../shared/service/upgrade/stored-form.ts';
import { personOf } from '../deployment/acting-person.ts';
import { CONFIG_OPTION, openRuntimeOf, type Where } from '../deployment/where.ts';
import { FOLDER_OPTION } from '../deployment/with-runtime.ts';
import type { CliIo } from '../output/cli-io.ts';
import { fields, table } from '../output/table.ts';

/** `smdpf upgrade`: from one release to the next with both at work, and back until the newer form is activated. */
export function registerUpgrade(program: Command, io: CliIo): void {
  const group = program.command('upgrade').addHelpText('after', HELP);
  const command = (name: string, description: string) =>
    group
      .command(name)
      .description(description)
      .option(...FOLDER_OPTION)
      .addOption(new Option(...CONFIG_OPTION));

  command('show', 'which stored form is in force, and which releases are at work; changes nothing').action(
    (where: Where) => show(where, io),
  );
  command(
    'activate',
    'bring the newest form of this release into force, once every process reads it; there is no way back',
  ).action((where: Where) => activate(where, io));
}

const HELP = `
The order of an upgrade: start the new release beside the old one, end the old one, activate. Until then the old one may come back.
  smdpf serve --folder FOLDER --port 9443 --field-port 9444
  smdpf stop --folder FOLDER --release 0.1.0
  smdpf upgrade activate --folder FOLDER`;

async function show(where: Where, io: CliIo): Promise<void> {
  const runtime = await openRuntimeOf(where);
  try {
    const forms = await runtime.storedForm.forms();
    io.answer({ ...forms }, () => textOf(forms, io.now().getTime()));
  } finally {
    await runtime.close();
  }
}

async function activate(where: Where, io: CliIo): Promise<void> {
  const runtime = await openRuntimeOf(where);
  try {
    const answer = await runtime.storedForm.activate(await personOf(runtime, 'cli'));
    await runtime.audit.chain();
    io.answer(answer, () =>
      answer.form === answer.before
        ? `form ${answer.form} was in force before`
        : `form ${answer.form} is in force; processes at work write it within half a minute`,
    );
  } finally {
    await runtime.close();
  }
}

function textOf({ inForce, since, by, newest, releases }: StoredForms, nowMs: number): string {
  const parts = [
    fields([
      ['stored form in force', inForce],
      ['since', since === undefined ? undefined : `${new Date(since).toISOString()}, by release ${by}`],
      ['newest that this release reads', newest],
      ['to be done', inForce < newest ? 'once all are of this release: smdpf upgrade activate' : 'nothing'],
    ]),
  ];
  if (releases.length > 0)
    parts.push(
      table(
        ['release', 'reads up to form', 'last at work'],
        releases.map(({ release, reads, seen, atWork }) => [
          release,
          reads,
          `${Math.max(0, Math.round((nowMs - seen) / 1000))} s ago${atWork ? '' : ': ended'}`,
        ]),
      ),
    );
  return parts.join('\n\n');
}
