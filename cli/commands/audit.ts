import type { Command } from 'commander';
import { canonicalJson } from '../../shared/codec/canonical-json.ts';
import { present } from '../../shared/present.ts';
import type { AuditHead, ChainedLine } from '../../shared/service/api/admin.ts';
import { ChainCheck, type CheckedLine } from '../../shared/service/audit/chain-check.ts';
import { FOLDER_OPTION, withRuntime } from '../deployment/with-runtime.ts';
import { readOctets, writeOutput } from '../input/files.ts';
import { wholeOption } from '../input/options.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { UsageError } from '../output/failure.ts';
import { table } from '../output/table.ts';

/** Problems that an answer lists. */
const LISTED = 100;

/** `smdpf audit`: the hash-chained log of state changes and refused calls. */
export function registerAudit(program: Command, io: CliIo): void {
  const audit = program.command('audit');
  const command = (name: string, description: string) =>
    audit
      .command(name)
      .description(description)
      .option(...FOLDER_OPTION);

  command('verify', 'find changed, missing and moved lines, by the chain and by the archive')
    .option(
      '--lines <file>',
      'of lines that were exported or fetched, one on each, in place of the deployment',
    )
    .action(({ folder, lines }: Folder & { lines?: string }) =>
      lines === undefined ? verifyLog(folder, io) : verifyLines(lines, io),
    );
  command('show', 'the last lines')
    .option('--last <lines>', 'how many', wholeOption(1, 10_000), 50)
    .action(({ folder, last }: Folder & { last: number }) => showLines(folder, last, io));
  command('export', 'all lines as JSON, one on each, and the head that proves them complete')
    .requiredOption('--out <file>', 'where to write the lines')
    .action(({ folder, out }: Folder & { out: string }) => exportLines(folder, out, io));
  command(
    'archive',
    'keep the lines since the last time in a locked object, as a running server does',
  ).action(({ folder }: Folder) => archiveLines(folder, io));
}

interface Folder {
  readonly folder: string;
}

function verifyLog(folder: string, io: CliIo): Promise<void> {
  return withRuntime(folder, async ({ audit: log }) => report(log.verify(), () => log.head(), io));
}

async function verifyLines(file: string, io: CliIo): Promise<void> {
  const chain = new ChainCheck();
  async function* checked(): AsyncGenerator<CheckedLine> {
    for (const line of await readLines(file)) {
      const problem = chain.problemOf(line);
      yield { sequence: line.sequence, ...present({ problem }) };
      chain.pass(line);
    }
  }
  await report(checked(), async () => chain.head, io);
}

async function report(
  checked: AsyncIterable<CheckedLine>,
  headOf: () => Promise<AuditHead>,
  io: CliIo,
): Promise<void> {
  const problems: { sequence: number; problem: string }[] = [];
  let found = 0;
  for await (const { sequence, problem } of checked) {
    if (problem === undefined) continue;
    found += 1;
    if (problems.length < LISTED) problems.push({ sequence, problem });
  }
  const head = await headOf();
  if (found > 0) io.exit(EXIT.refused);
  io.answer({ holds: found === 0, head, found, problems }, () =>
    found === 0
      ? `the log holds: ${head.sequence} lines, ending in ${head.hash}`
      : `the log does not hold: ${found} ${found === 1 ? 'problem' : 'problems'}\n\n${table(
          ['line', 'problem'],
          problems.map((one) => [one.sequence, one.problem]),
        )}`,
  );
}

function showLines(folder: string, last: number, io: CliIo): Promise<void> {
  return withRuntime(folder, async (runtime) => {
    const { sequence } = await runtime.audit.head();
    const lines: ChainedLine[] = [];
    for await (const line of runtime.audit.lines(Math.max(1, sequence - last + 1))) lines.push(line);
    io.answer({ lines }, () =>
      table(
        ['line', 'at', 'event', 'by', 'about'],
        lines.map((line) => [line.sequence, line.at, line.event, actorText(line), aboutText(line)]),
      ),
    );
  });
}

function exportLines(folder: string, out: string, io: CliIo): Promise<void> {
  return withRuntime(folder, async (runtime) => {
    const head = await runtime.audit.head();
    const lines: string[] = [];
    for await (const line of runtime.audit.lines()) {
      if (line.sequence > head.sequence) break;
      lines.push(`${canonicalJson(line)}\n`);
    }
    await writeOutput(out, lines.join(''), '--out', { mode: 0o600 });
    io.answer({ file: out, lines: lines.length, head }, `${lines.length} lines, ending in ${head.hash}`);
  });
}

function archiveLines(folder: string, io: CliIo): Promise<void> {
  return withRuntime(folder, async (runtime) => {
    await runtime.audit.chain();
    const archived = await runtime.audit.archive();
    io.answer({ archived, head: await runtime.audit.head() }, `${archived} lines archived`);
  });
}

/** JSON lines, as `export` and the archive write them. */
async function readLines(file: string): Promise<ChainedLine[]> {
  const text = Buffer.from(await readOctets(file, '--lines')).toString('utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0)
    throw new UsageError(`--lines: ${file} has no line`, 'smdpf audit export writes one.');
  return lines.map((line, i) => {
    try {
      const parsed: unknown = JSON.parse(line);
      if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
        return parsed as ChainedLine;
    } catch {
      // told below, as what is JSON and no object
    }
    throw new UsageError(
      `--lines: line ${i + 1} of ${file} is no JSON object`,
      'The file has one line of the log on each of its lines.',
    );
  });
}

const aboutText = ({ about }: ChainedLine) =>
  Object.entries(about)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** `anna (cli)`, and with a second administrator `anna with ben (cli)`. */
const actorText = ({ by, who }: ChainedLine) =>
  who === undefined
    ? by
    : `${[who.person, who.approvedBy].filter((name) => name !== undefined).join(' with ')} (${by})`;
