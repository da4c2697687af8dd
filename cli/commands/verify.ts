import { join } from 'node:path';
import type { Command } from 'commander';
import { ownText } from '../../shared/events/error-record.ts';
import { lineOf } from '../../shared/events/log-events.ts';
import { openRuntime, type Runtime } from '../../shared/runtime.ts';
import { STORE_NAMES } from '../../shared/service/restore/identity.ts';
import type { Finding } from '../../shared/service/verify/finding.ts';
import { repair } from '../../shared/service/verify/repair.ts';
import { STAGE_NAMES, verify } from '../../shared/service/verify/verify.ts';
import { closeFile, openFiles } from '../deployment/file-modes.ts';
import { VerifyJournal } from '../deployment/verify-journal.ts';
import { CONFIG_OPTION, configOf, type Where } from '../deployment/where.ts';
import { FOLDER_OPTION } from '../deployment/with-runtime.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { table } from '../output/table.ts';

/** Findings that an answer lists. */
const LISTED = 1_000;

interface VerifyArguments extends Where {
  readonly repair?: boolean;
  readonly resume?: boolean;
}

type Seen = Finding & { readonly repaired: boolean };

/** `smdpf verify`: holds the stores of a deployment against each other (I11). */
export function registerVerify(program: Command, io: CliIo): void {
  program
    .command('verify')
    .option(...FOLDER_OPTION)
    .option(...CONFIG_OPTION)
    .option(
      '--repair',
      'remove what counts for nothing, destroy keys that had to be destroyed, and close profiles whose keys are lost',
    )
    .option('--resume', 'go on where a run was cut off')
    .action(async (options: VerifyArguments) => {
      const config = await configOf(options);
      const runtime = await openRuntime(config, {
        lanes: 'none',
        mayLack: STORE_NAMES,
        log: (record) => io.note(JSON.stringify({ at: io.now().toISOString(), ...lineOf(record) })),
      });
      try {
        await verifyAll(runtime, options, io);
      } finally {
        await runtime.close();
      }
    });
}

async function verifyAll(runtime: Runtime, options: VerifyArguments, io: CliIo): Promise<void> {
  const folder = options.config === undefined ? options.folder : undefined;
  const journal = new VerifyJournal(folder === undefined ? undefined : join(folder, 'verify.json'));
  const begun = options.resume ? journal.read() : new VerifyJournal(undefined).read();
  let { looked } = begun;
  const seen: Seen[] = [];
  const note = async (finding: Finding) => {
    const repaired = options.repair === true && (await repair(runtime.context, finding, closeFile));
    seen.push({ ...finding, repaired });
    const { where, name, problem } = finding;
    if (finding.repair === undefined)
      runtime.context.log({
        event: 'alarm.verify.found',
        where,
        name: ownText(name),
        problem: ownText(problem),
      });
  };
  const bar = io.progress('verifying', STAGE_NAMES.length);
  for await (const { stage, findings, looked: more, next } of verify(runtime.unguarded, begun.place)) {
    for (const finding of findings) await note(finding);
    looked += more;
    bar.update(STAGE_NAMES.indexOf(stage));
    if (next !== undefined) journal.write(next, looked);
  }
  if (folder !== undefined) for await (const finding of openFiles(folder)) await note(finding);
  bar.end();
  journal.end();
  answer(seen, looked, options.repair === true, io);
}

function answer(seen: readonly Seen[], looked: number, repairs: boolean, io: CliIo): void {
  const left = seen.filter(({ repaired }) => !repaired);
  const repairable = left.filter(({ repair: how }) => how !== undefined).length;
  if (!repairs && repairable > 0) io.warn(`${repairable} of them are repaired by --repair, without loss`);
  if (left.length > repairable) io.warn('what is left needs a person: docs/runbook.md, "verify-findings"');
  if (left.length > 0) io.exit(EXIT.refused);
  const findings = seen.slice(0, LISTED).map(({ where, name, problem, repair: how, repaired }) => ({
    where,
    name,
    problem,
    state: repaired ? 'repaired' : how === undefined ? 'open' : 'repairable',
  }));
  io.answer({ holds: left.length === 0, looked, found: seen.length, findings }, () =>
    seen.length === 0
      ? `${looked} things looked at; they hold`
      : table(
          ['where', 'what', 'problem', 'state'],
          findings.map(({ where, name, problem, state }) => [where, name, problem, state]),
        ),
  );
}
