import { present } from '../../../shared/present.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type { AuditHead, ChainedLine } from '../../../shared/service/api/admin.ts';
import { ChainCheck, type CheckedLine } from '../../../shared/service/audit/chain-check.ts';
import type { OutsideHeads } from '../../../shared/service/evidence/outside-anchor.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { readOctets } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { UsageError } from '../../output/failure.ts';
import { table } from '../../output/table.ts';

/** Problems that an answer lists. */
const LISTED = 100;

export interface VerifyOptions {
  readonly folder: string;
  readonly lines?: string;
  readonly anchor?: readonly string[];
}

/** Up to which line something apart from the log vouches for it; undefined where nothing of the kind does. */
interface Tail {
  /** Locked objects of the vault. */
  readonly archive: number | undefined;
  readonly ppkVault: number | undefined;
  /** Statements that somebody else keeps. */
  readonly outside: number | undefined;
}

export async function verifyLog({ folder, lines, anchor = [] }: VerifyOptions, io: CliIo): Promise<void> {
  if (lines !== undefined) {
    if (anchor.length > 0)
      throw new UsageError(
        '--anchor goes with a deployment',
        'Compare an export with the head that came with it.',
      );
    return await verifyLines(lines, io);
  }
  await withRuntime(folder, async (runtime) => {
    const outside = await outsideHeads(runtime, anchor);
    for (const name of outside?.unknown ?? [])
      io.warn(`${name} is no statement about this log by a key of this server: it vouches for nothing`);
    const known = await runtime.audit.anchoredHeads();
    const archived = await runtime.audit.archivedTo();
    const tail: Tail = {
      archive: archived === 0 ? undefined : archived,
      ppkVault: known.at(-1)?.sequence,
      outside: highest(outside?.heads),
    };
    await report(runtime.audit.verify(outside?.heads), () => runtime.audit.head(), io, tail);
  });
}

/** Those of the configured store and of the files; undefined where there is neither. */
async function outsideHeads(
  { evidence }: Runtime,
  files: readonly string[],
): Promise<OutsideHeads | undefined> {
  const stored = await evidence.anchor.read();
  if (stored === undefined && files.length === 0) return undefined;
  const statements = await Promise.all(
    files.map(async (name) => ({
      name,
      jws: Buffer.from(await readOctets(name, '--anchor'))
        .toString('latin1')
        .trim(),
    })),
  );
  const given = await evidence.anchor.known(statements);
  return {
    heads: [...(stored?.heads ?? []), ...given.heads],
    unknown: [...(stored?.unknown ?? []), ...given.unknown],
  };
}

const highest = (heads: readonly AuditHead[] = []) =>
  heads.length === 0 ? undefined : Math.max(...heads.map(({ sequence }) => sequence));

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
  tail?: Tail,
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
  const cannotKnow = tail === undefined ? [] : unknowns(tail, head);
  io.answer({ holds: found === 0, head, found, problems, ...present({ tail }), cannotKnow }, () =>
    [
      found === 0
        ? `the log holds: ${head.sequence} lines, ending in ${head.hash}`
        : `the log does not hold: ${found} ${found === 1 ? 'problem' : 'problems'}\n\n${table(
            ['line', 'problem'],
            problems.map((one) => [one.sequence, one.problem]),
          )}`,
      ...(tail === undefined ? [] : [tailText(tail)]),
      ...cannotKnow.map((text) => `cannot be known: ${text}`),
    ].join('\n'),
  );
}

/** What this verification has no means to find, in words. */
function unknowns({ archive, ppkVault, outside }: Tail, { sequence }: AuditHead): string[] {
  const kept = Math.max(archive ?? 0, ppkVault ?? 0);
  const tail =
    kept >= sequence
      ? []
      : [
          `whether lines after ${kept} were cut off together with the head: nothing apart from the log has them yet`,
        ];
  const all =
    outside === undefined
      ? 'whether all stores were put back together to an earlier moment: no end of the log is kept outside (auditAnchor, or --anchor)'
      : outside < sequence
        ? `whether all stores were put back together to a moment after line ${outside}, the last one that is kept outside`
        : undefined;
  return [...tail, ...(all === undefined ? [] : [all])];
}

const tailText = ({ archive, ppkVault, outside }: Tail) =>
  `vouched for apart from the log: up to line ${archive ?? 0} by the archive, ${ppkVault ?? 0} by the PPK vault, ${outside ?? 0} from outside`;

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
