import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DeploymentFolder } from '../cli/deployment/folder.ts';
import { openSandbox } from '../cli/deployment/sandbox.ts';
import { SimEum } from '../sim/index.ts';
import { largeBatch } from './ingest/batch.ts';
import type { IngestRun } from './ingest/run.ts';

/**
 * Ingest of eUICC data on one core: entries per second beside the floor of bare node:crypto calls in the same run
 * (see ingest/floor.ts), and resident memory, which must not grow with the batch. Each batch is ingested into a
 * deployment of its own (SQLite, files), by a process that did not make it.
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    entries: { type: 'string', default: '10000,200000' },
  },
});

const runs: IngestRun[] = [];
for (const entries of options.entries.split(',').map(Number)) runs.push(await measure(entries));

async function measure(entries: number): Promise<IngestRun> {
  const folder = await mkdtemp(join(tmpdir(), 'smdpf-bench-'));
  try {
    const deployment = await DeploymentFolder.open(join(folder, 'deployment'));
    const runtime = await deployment.openRuntime({ lanes: 'none' });
    const { ci, eumCa } = await openSandbox(deployment, runtime, 'p256');
    const eum = new SimEum({ ca: eumCa, ci: ci.certificate });
    const batch = largeBatch(eum, entries, ['2.999.50'], join(folder, 'entries'));
    await runtime.context.vault.putStream('bench/batch', batch);
    await runtime.close();
    const child = new URL('./ingest/run.ts', import.meta.url).pathname;
    const output = execFileSync(process.execPath, [child, deployment.folder, 'bench/batch'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return JSON.parse(output.toString()) as IngestRun;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (options.json) console.log(JSON.stringify({ node: process.version, runs }, null, 2));
else {
  const megabytes = (octets: number) => `${(octets / 1e6).toFixed(0)} MB`;
  for (const run of runs) {
    const perSecond = (ms: number) => `${Math.round((run.entries * 1000) / ms)}/s`;
    const share = (floorMs: number) => `${((100 * floorMs) / run.ingestMs).toFixed(0)} %`;
    console.log(
      `${run.entries} entries, ${run.accepted} accepted: ${perSecond(run.ingestMs)} on one core` +
        `   plain floor ${perSecond(run.plainFloorMs)} (${share(run.plainFloorMs)})` +
        `   lean floor ${perSecond(run.leanFloorMs)} (${share(run.leanFloorMs)})` +
        `   frames read in ${(run.scanMs / 1000).toFixed(1)} s` +
        `   resident ${megabytes(run.startRss)} at start, ${megabytes(run.peakRss)} at most`,
    );
  }
}
