import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { releaseCommand } from './memory/release-command.ts';
import { type Peak, WORKS } from './memory/stand.ts';
import { type Measured, verdicts } from './memory/verdict.ts';

/**
 * Most resident memory of `smdpf serve` and of its clients, as a release has them: eUICC data by `smdpf register`, an order by
 * `smdpf order place` and its output by `smdpf order output`, a job by `smdpf request send`, its answer by `smdpf pull`, a report by
 * `smdpf report send`. Each is killed in the middle and gone on with by another process.
 *
 *   npm run bench:memory [-- --sizes 10000,50000,200000] [--works ingest,order,job,pull,report] [--limit 350] [--flat 1.15]
 *
 * Ends with 1 where a server had more than `limit` MB (of 10^6 octets), where server or client of a work had more than `flat` times
 * at the largest size what it had at the smallest, or where something did not come to its end. `--made FOLDER` keeps the deployments
 * with eUICCs and order in a folder, by size, and takes them from there where neither of both is asked for.
 */
const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,50000,200000' },
    works: { type: 'string', default: WORKS.join(',') },
    limit: { type: 'string', default: '350' },
    flat: { type: 'string', default: '1.15' },
    made: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const unknown = options.works.split(',').find((work) => !WORKS.some((known) => known === work));
if (unknown !== undefined) throw new Error(`there is no work ${unknown}: ${WORKS.join(', ')}`);

const measured: Measured[] = [];
const smdpf = await releaseCommand();
if (!options.json)
  console.log('| work | items | server, MB | client, MB | killed and gone on with |\n|---|---|---|---|---|');
for (const size of options.sizes.split(',').map(Number)) await measure(size);
const found = verdicts(measured, { limitMb: Number(options.limit), flat: Number(options.flat) });
if (options.json) console.log(JSON.stringify({ measured, verdicts: found }));
else for (const { passed, what } of found) console.log(`${passed ? 'PASS' : 'FAIL'}  ${what}`);
if (found.some(({ passed }) => !passed)) process.exitCode = 1;

async function measure(size: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'smdpf-bench-memory-'));
  try {
    const args = [join(folder, 'served'), String(size), smdpf, options.works];
    if (options.made !== undefined) args.push(options.made);
    const child = spawn(process.execPath, [join(import.meta.dirname, 'memory/measure.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = new Promise((resolve) => child.once('exit', resolve));
    for await (const line of createInterface({ input: child.stdout }))
      tell({ size, ...(JSON.parse(line) as Peak) });
    if ((await exit) !== 0) throw new Error(`works of ${size} failed`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tell(one: Measured): void {
  measured.push(one);
  if (options.json) return;
  const cells = [one.work, one.size.toLocaleString('en'), ...[one.server, one.client].map(megabytes)];
  console.log(`| ${[...cells, one.complete ? 'complete' : 'NOT complete'].join(' | ')} |`);
}

function megabytes(octets: number): string {
  return (octets / 1e6).toFixed(0);
}
