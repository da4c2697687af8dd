import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { COMMANDS, type CommandRow } from './commands/index.ts';
import { registerComplete } from './complete.ts';
import { EXIT_CODE_HELP } from './output/exit-codes.ts';
import type { RunIo } from './output/process-io.ts';

/** Runs one command line (without the program's name) and returns its exit code; never throws. */
export async function run(args: readonly string[], io: RunIo): Promise<number> {
  // subcommands inherit these settings when they are made, so they come first
  const program = new Command('smdpf')
    .description('An open SM-DPf: the server of GSMA SGP.41 In-Factory Profile Provisioning.')
    .version(manifest.version)
    .option('--json', 'one JSON document on stdout, errors too')
    .addHelpText('after', EXIT_CODE_HELP)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => io.write(text), writeErr: () => {} })
    .exitOverride();
  try {
    await registerCommands(program, args, io);
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!isHelp(error)) io.fail(error);
  }
  return io.exitCode;
}

/** The one command that is named; for the help, and for a name that is none, what each of them is. */
async function registerCommands(program: Command, args: readonly string[], io: RunIo): Promise<void> {
  const [first, second] = args.filter((arg) => !arg.startsWith('-'));
  const named = (first === 'help' ? second : first) ?? '';
  const row = COMMANDS.get(named);
  const registerNamed = async ({ load, summary }: CommandRow) => {
    (await load())(program, io);
    program.commands.at(-1)!.description(summary);
  };
  if (row !== undefined) return registerNamed(row);
  if (named === 'complete') return registerComplete(program, io);
  for (const [name, { summary }] of COMMANDS) program.command(name).description(summary);
}

/** Help and version were asked for, and written. */
const isHelp = (error: unknown): boolean => error instanceof CommanderError && error.exitCode === 0;
