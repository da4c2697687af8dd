import type { Command } from 'commander';
import type { JsonObject } from '../../sim/index.ts';
import { readOctets } from '../input/files.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { UsageError } from '../output/failure.ts';
import { table } from '../output/table.ts';
import { type Where, withWhere, withWork } from './ops/looking.ts';

interface CheckArguments extends Where {
  readonly order: string;
  readonly operator?: string;
  readonly eids?: string;
}

/** `smdpf eligibility check`: the dry run. */
export function registerEligibility(program: Command, io: CliIo): void {
  withWhere(
    program
      .command('eligibility')
      .command('check [eid...]')
      .description('which of these eUICCs would be refused, and why; nothing is spent')
      .requiredOption('--order <orderId>', 'the order')
      .option('--operator <identifier>', 'with --folder: whose order it is; at a server the party that asks')
      .option('--eids <file>', 'more EIDs, one on each line'),
    io,
  ).action((named: readonly string[], options: CheckArguments) => check(named, options, io));
}

async function check(named: readonly string[], options: CheckArguments, io: CliIo): Promise<void> {
  const { order: orderId, operator, eids: file, ...where } = options;
  const eids = [...named, ...(file === undefined ? [] : await readLines(file))];
  if (eids.length === 0) throw new UsageError('no EID is named', 'Name EIDs, or a file of them with --eids.');
  const { checked, document, rows } = await withWork<Checked>(where, io, {
    folder: async ({ services }) => {
      if (operator === undefined)
        throw new UsageError('--operator is missing', 'Name whose order it is, such as --operator 2.999.60.');
      const caller = { identifier: operator, role: 'operator', fingerprint: '' } as const;
      const verdicts = await services.eligibility.checkEligibility(caller, { orderId, eids });
      const refused = verdicts.flatMap(({ eid, refusal }) =>
        refusal === undefined ? [] : [{ eid, refusal }],
      );
      const rows = refused.map(({ eid, refusal }) => rowOf({ eid, ...refusal }));
      return { checked: verdicts.length, document: { checked: verdicts.length, refused }, rows };
    },
    server: async (client) => {
      const { header: _, ...document } = await client.execute('es2f', 'checkEligibility', { orderId, eids });
      const refused = Array.isArray(document.refused) ? (document.refused as readonly JsonObject[]) : [];
      return { checked: Number(document.checked), document, rows: refused.map(rowOf) };
    },
  });
  if (rows.length > 0) io.exit(EXIT.refused);
  io.answer(document, () =>
    [
      `${checked} checked, ${rows.length} would be refused`,
      ...(rows.length === 0 ? [] : [table(['EID', 'code', 'why'], rows)]),
    ].join('\n\n'),
  );
}

interface Checked {
  readonly checked: number;
  readonly document: Readonly<Record<string, unknown>>;
  readonly rows: readonly (readonly string[])[];
}

const rowOf = ({ eid, subjectCode, reasonCode, message }: JsonObject): string[] => [
  String(eid),
  `${String(subjectCode)}/${String(reasonCode)}`,
  String(message),
];

async function readLines(file: string): Promise<string[]> {
  const text = Buffer.from(await readOctets(file, '--eids')).toString('utf8');
  return text.split(/\r?\n/).filter((line) => line.trim() !== '');
}
