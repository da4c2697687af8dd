import { Command } from 'commander';
import { COMMANDS } from './commands/index.ts';
import type { CliIo } from './output/cli-io.ts';

/** `smdpf complete -- WORD…`: what the last word may become, one in a line; for those scripts. */
export function registerComplete(program: Command, io: CliIo): void {
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: readonly string[]) => {
      const found = await candidates(words, io);
      if (found.length > 0) io.answer({ candidates: found }, found.join('\n'));
    });
}

async function candidates(words: readonly string[], io: CliIo): Promise<string[]> {
  const begun = words.at(-1)?.replace(/^""$/, '') ?? '';
  const [first, ...rest] = words.slice(0, -1).filter((word) => !word.startsWith('-'));
  const beginning = (names: readonly string[]) => names.filter((name) => name.startsWith(begun)).sort();
  if (first === undefined) return beginning([...COMMANDS.keys()]);
  const row = COMMANDS.get(first);
  if (row === undefined) return [];
  const root = new Command('smdpf');
  (await row.load())(root, io);
  let command = root.commands[0]!;
  for (const word of rest) command = command.commands.find((one) => one.name() === word) ?? command;
  if (begun.startsWith('-'))
    return beginning([...command.options.flatMap(({ long }) => long ?? []), '--json', '--help']);
  const option = command.options.find(({ long }) => long === words.at(-2));
  if (option?.argChoices !== undefined) return beginning(option.argChoices);
  return beginning(command.commands.map((one) => one.name()));
}
