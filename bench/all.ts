import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type Row, rowsOf, verdictsOf } from './all/rows.ts';

/**
 * Every bench once, one after the other, and one table: ours, its floor in the same run, the ratio, resident memory.
 *
 *   npm run bench:all [-- --write docs/performance.md] [--quick] [--memory-sizes 10000,50000,200000]
 *
 * With --write the table in that file is replaced. --quick makes less of everything, to see that all of it runs. Ends with 1 where
 * memory is not what it should be: `bench/memory.ts`.
 */
const { values: options } = parseArgs({
  options: {
    write: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'memory-sizes': { type: 'string', default: '10000' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'smdpf-bench-all-'));
const size = (whole: number, quick: number) => String(options.quick ? quick : whole);
const BENCHES: readonly (readonly [name: string, ...args: string[]])[] = [
  ['bind', '--rounds', size(60, 5)],
  ['personalise', '--seconds', size(3, 1)],
  // so many that starting and compiling are nothing beside them
  ['orders', '--count', size(100_000, 1_000), '--no-search', '--folder', join(folder, 'orders')],
  ...largeTemplate(),
  ['ingest', '--entries', size(60_000, 3_000)],
  ['job', '--items', size(10_000, 500), '--warm-up', size(10_000, 500)],
  options.quick ? ['jit', '--calls', '30,60,60', '--warm-up', '60'] : ['jit'],
  ['memory', '--sizes', options.quick ? '1000' : options['memory-sizes']],
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
    const found: unknown = JSON.parse(await run(name, ...args));
    rows.push(...rowsOf(name, found));
    for (const { passed, what } of verdictsOf(name, found)) {
      console.error(`${passed ? 'PASS' : 'FAIL'}  ${what}`);
      if (!passed) process.exitCode = 1;
    }
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
  ours === undefined || floor === undefined ? '–' : `${((100 * ours) / floor).toFixed(0)} %`,
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

/** Its JSON; a bench whose verdict is FAIL ends with 1, and has printed it. */
async function run(name: string, ...args: readonly string[]): Promise<string> {
  const file = join(import.meta.dirname, `${name}.ts`);
  const ran = promisify(execFile)(process.execPath, [file, '--json', ...args], { maxBuffer: 2 ** 26 });
  const { stdout } = await ran.catch((error: { code?: number; stdout: string }) => {
    if (name === 'memory' && error.code === 1 && error.stdout !== '') return error;
    throw error;
  });
  return stdout;
}

function thousands(value: number | undefined): string {
  return value === undefined ? '–' : Math.round(value).toLocaleString('en');
}
