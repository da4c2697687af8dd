import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type Row, rowsOf } from './all/rows.ts';

/**
 * Every bench once, one after the other, and one table: ours, its floor in the same run, the ratio, resident memory.
 *
 *   npm run bench:all [-- --write docs/performance.md] [--quick]
 *
 * With --write the table in that file is replaced. --quick makes less of everything, to see that all of it runs.
 */
const { values: options } = parseArgs({
  options: { write: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
const folder = mkdtempSync(join(tmpdir(), 'smdpf-bench-all-'));
const size = (whole: number, quick: number) => String(options.quick ? quick : whole);
const BENCHES: readonly (readonly [name: string, ...args: string[]])[] = [
  ['bind', '--rounds', size(60, 5)],
  ['personalise', '--seconds', size(3, 1)],
  // so many that starting and compiling are nothing beside them
  ['orders', '--count', size(100_000, 1_000), '--no-search', '--folder', join(folder, 'orders')],
  ...largeTemplate(),
  ['ingest', '--entries', size(20_000, 3_000)],
  ['job', '--items', size(10_000, 500)],
  ['jit', '--calls', options.quick ? '30,60,60' : '400,2000,4000'],
];

/** An order with a package of 12 kB, where one lies beside the project. */
function largeTemplate(): [name: string, ...args: string[]][] {
  const template = join(import.meta.dirname, '../../shared/testdata/ts48/TS48v1_A.der');
  if (existsSync(template)) {
    const about = ['--template', template, '--folder', join(folder, 'orders-ts48')];
    return [['orders', '--count', size(30_000, 1_000), '--no-search', ...about]];
  }
  console.error(
    `without an order of 12 kB profiles: ${template}, a test profile of GSMA TS.48, is not there`,
  );
  return [];
}

const rows: Row[] = [];
try {
  for (const [name, ...args] of BENCHES) {
    console.error(`bench:${name} …`);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(import.meta.dirname, `${name}.ts`), '--json', ...args],
      { maxBuffer: 2 ** 26 },
    );
    rows.push(...rowsOf(name, JSON.parse(stdout)));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const [cpu] = cpus();
const machine = `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} cores (${cpu?.model ?? 'unknown'}), Node ${process.version}`;
const heading = ['what', 'ours a second', 'floor a second', 'ours of the floor', 'resident, MB'];
const cells = rows.map(({ what, ours, floor, memory }) => [
  what,
  thousands(ours),
  thousands(floor),
  `${((100 * ours) / floor).toFixed(0)} %`,
  memory === undefined ? '–' : (memory / 1e6).toFixed(0),
]);
const table = [heading, heading.map(() => '---'), ...cells].map((row) => `| ${row.join(' | ')} |`).join('\n');
console.log(`${machine}\n\n${table}`);
if (options.write !== undefined) {
  const [BEGIN, END] = ['<!-- bench:all -->', '<!-- /bench:all -->'];
  const text = readFileSync(options.write, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from)
    throw new Error(`${options.write} has no place for the table: ${BEGIN} … ${END}`);
  writeFileSync(
    options.write,
    `${text.slice(0, from)}${BEGIN}\n\n${machine}\n\n${table}\n\n${text.slice(to)}`,
  );
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en');
}
