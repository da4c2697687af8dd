import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { buildConsole } from '../console/build/build.ts';
import { bundle } from '../release/bundle.ts';
import type { Peak } from './memory/delivery.ts';

/**
 * Most resident memory of server and client, for works of several sizes, each killed in the middle and gone on with by
 * another process: it must not grow with the work.
 *
 *   npm run bench:memory [-- --sizes 10000,50000,200000] [--works order,ingest,delivery] [--limit 350]
 *
 * `delivery` is, with the bundle of a release, whose threads have no sources to strip of their types, a job, its pull by `smdpf pull` and a report about it by `smdpf report send`, from `smdpf serve` over HTTPS;
 * an order and eUICC data are worked on by a process with the worker thread of a server. Ends with 1 where a server had more
 * than `limit` MB (of 10^6 octets), or something did not come to its end.
 */
const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,50000,200000' },
    works: { type: 'string', default: 'order,ingest,delivery' },
    limit: { type: 'string', default: '350' },
  },
});
const sizes = options.sizes.split(',').map(Number);
const works = options.works.split(',');
const MEASURES: Readonly<Record<string, (size: number) => Promise<readonly Measured[]>>> = {
  order,
  ingest,
  delivery,
};

type Measured = Omit<Peak, 'work'> & { readonly work: string };

console.log('| work | items | server, MB | client, MB | killed and gone on with |\n|---|---|---|---|---|');
for (const work of works)
  for (const size of sizes) {
    const measure = MEASURES[work];
    if (measure === undefined) throw new Error(`there is no work ${work}`);
    for (const measured of await measure(size)) tell(measured, size);
  }

function tell({ work, server, client, complete }: Measured, size: number): void {
  const megabytes = (octets?: number) => (octets === undefined ? '–' : (octets / 1e6).toFixed(0));
  const cells = [work, size.toLocaleString('en'), megabytes(server), megabytes(client)];
  console.log(`| ${[...cells, complete ? 'complete' : 'NOT complete'].join(' | ')} |`);
  if (!complete || server > Number(options.limit) * 1e6) process.exitCode = 1;
}

async function order(size: number): Promise<readonly Measured[]> {
  return await inFolder(async (folder) => {
    const args = ['--json', '--no-search', '--count', String(size), '--folder', join(folder, 'order')];
    const killed = JSON.parse(await run('orders.ts', ...args, '--kill-at', '0.5')) as Order;
    const resumed = JSON.parse(await run('orders.ts', ...args)) as Order;
    const server = Math.max(...[...killed.memory, ...resumed.memory].map((octets) => octets ?? 0));
    return [{ work: 'order', server, complete: resumed.what === 'Open' }];
  });
}

interface Order {
  readonly what: string;
  readonly memory: readonly (number | null)[];
}

async function ingest(size: number): Promise<readonly Measured[]> {
  const { runs } = JSON.parse(
    await run('ingest.ts', '--json', '--kill', '--entries', String(size)),
  ) as Ingest;
  return runs.map(({ peakRss, sameAfterKill }) => ({
    work: 'ingest',
    server: peakRss,
    complete: sameAfterKill,
  }));
}

interface Ingest {
  readonly runs: readonly { readonly peakRss: number; readonly sameAfterKill: boolean }[];
}

let built: Promise<string> | undefined;

/** The command as a release has it. */
async function build(): Promise<string> {
  await buildConsole(() => undefined);
  const { file } = await bundle(join(mkdtempSync(join(tmpdir(), 'smdpf-bench-bundle-')), 'smdpf.mjs'), 'esm');
  process.once('exit', () => rmSync(dirname(file), { recursive: true, force: true }));
  return file;
}

async function delivery(size: number): Promise<readonly Measured[]> {
  built ??= build();
  const smdpf = await built;
  return await inFolder(
    async (folder) =>
      JSON.parse(await run('memory/delivery.ts', join(folder, 'made'), String(size), smdpf)) as Peak[],
  );
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'smdpf-bench-memory-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a bench prints; one that kills itself has printed before. */
async function run(bench: string, ...args: string[]): Promise<string> {
  const child = promisify(execFile)(process.execPath, [join(import.meta.dirname, bench), ...args], {
    maxBuffer: 2 ** 26,
  });
  const { stdout } = await child.catch((error: { signal?: string; stdout: string; stderr: string }) => {
    if (error.signal === 'SIGKILL') return error;
    throw error;
  });
  return stdout;
}
