import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { beforeAll, expect, it } from 'vitest';
import { COMMANDS } from '../../cli/commands/index.ts';
import { processIo } from '../../cli/output/process-io.ts';
import { DOCUMENTS, ROOT } from './documents.ts';

const program = new Command('smdpf').option('--json');

beforeAll(async () => {
  const io = processIo({ argv: [], env: {}, stdout: { write: () => {} }, stderr: { write: () => {} } });
  for (const { load } of COMMANDS.values()) (await load())(program, io);
});

/** Command lines of the sh blocks of a document, each without the `npx smdpf` it begins with. */
function commandLines(document: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
    block!
      .replaceAll(/\\\n/g, ' ')
      .replaceAll(/(^|\s)#.*$/gm, '')
      .split(/\n|[|;&<>]/)
      .flatMap((line) => /(?:^|\s)npx smdpf\s+(.*)/.exec(line)?.[1] ?? []),
  );
}

/** What `smdpf` does not know in a command line: a command, an option. */
function unknownIn(line: string): string[] {
  const words = line.split(/\s+/).filter((word) => word !== '');
  let command: Command = program;
  const path: Command[] = [program];
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next === undefined) break;
    path.push(next);
    command = next;
  }
  if (command.commands.length > 0 && !words.includes('--help'))
    return [words.slice(0, path.length).join(' ')];
  const known = new Set(['--help', ...path.flatMap((one) => one.options.map(({ long }) => long))]);
  return words.filter((word) => word.startsWith('--')).filter((word) => !known.has(word.split('=')[0]!));
}

it.each(DOCUMENTS)('%s names no command and no option that smdpf does not have', (document) => {
  const wrong = commandLines(document).flatMap((line) =>
    unknownIn(line).map((word) => `${word} in: ${line}`),
  );
  expect(wrong).toEqual([]);
});

it('the documents give command lines by the dozen', () => {
  expect(DOCUMENTS.flatMap(commandLines).length).toBeGreaterThan(70);
});

it.each([
  ['keys lst --folder op', ['keys lst']],
  ['keys list --foldr op', ['--foldr']],
  ['keyss list', ['keyss']],
])('smdpf %s is told from a command line that it takes', (line, unknown) => {
  expect(unknownIn(line)).toEqual(unknown);
});
