import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DeploymentFolder } from '../cli/deployment/folder.ts';
import { openSandbox } from '../cli/deployment/sandbox.ts';
import { suiteByName } from '../shared/crypto/suite.ts';
import { SLICE } from '../shared/service/esed1/euicc-batches.ts';
import { SimEum, SUITES, type SuiteName } from '../sim/index.ts';
import { largeBatch } from './ingest/batch.ts';
import type { IngestRun } from './ingest/run.ts';
import { stateOf } from './ingest/state.ts';

/**
 * Ingest of eUICC data on one core: entries per second beside the floor of bare node:crypto calls in the same run
 * (see ingest/floor.ts), the same with as many rows stored (ingest/stored-floor.ts), and resident memory, which must not grow with the batch. Each batch is ingested into a
 * deployment of its own (SQLite, files), by a process that did not make it and a worker thread such as the server's.
 *
 * `--warm-up` is how many entries come before those that count, ours and the floor's: a thread that has just begun runs code
 * that V8 has not compiled yet, and V8's own threads compile it beside. What those took is told by itself.
 *
 * With --kill the same batch is ingested once more into another copy of the deployment by a process that dies of SIGKILL
 * in the middle of a slice, and goes on in another one; both ledgers must end alike.
 */
const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    kill: { type: 'boolean', default: false },
    entries: { type: 'string', default: '10000,200000' },
    'warm-up': { type: 'string', default: '5000' },
    suite: { type: 'string', default: 'p256' },
  },
});

interface Measured extends IngestRun {
  /** Whether a run that was killed and resumed ended with the same ledger. */
  readonly sameAfterKill?: boolean;
}

const OBJECT = 'bench/batch';
const runs: Measured[] = [];
for (const entries of options.entries.split(',').map(Number)) runs.push(await measure(entries));

async function measure(entries: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'smdpf-bench-'));
  try {
    const made = join(folder, 'deployment');
    await prepare(made, entries, join(folder, 'entries'));
    const killed = join(folder, 'killed');
    if (options.kill) await copyDeployment(made, killed);
    const run = ingest(made);
    if (run === undefined) throw new Error('the ingest failed');
    if (!options.kill) return run;
    const dies = Math.floor(entries / SLICE / 2);
    if (ingest(killed, String(dies)) !== undefined) throw new Error('the run was to die');
    const resumed = ingest(killed);
    const same = ledgerState(made) === ledgerState(killed) && resumed?.accepted === run.accepted;
    return { ...run, sameAfterKill: same };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function prepare(folder: string, entries: number, scratch: string): Promise<void> {
  const suite = Object.hasOwn(SUITES, options.suite) ? (options.suite as SuiteName) : 'p256';
  const draft = suiteByName(suite).draft && { runtime: { draftSuites: [suite] } };
  const deployment = await DeploymentFolder.open(folder, { ...draft });
  const runtime = await deployment.openRuntime({ lanes: 'none' });
  const { ci, eumCa } = await openSandbox(deployment, runtime, 'p256');
  const eum = new SimEum({ ca: eumCa, ci: ci.certificate, suite });
  await runtime.context.vault.putStream(OBJECT, largeBatch(eum, entries, ['2.999.50'], scratch));
  await runtime.close();
}

/** Paths in a configuration are absolute. */
async function copyDeployment(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  const file = join(to, 'config.json');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll(from, to));
}

/** One process; undefined if it was killed. */
function ingest(folder: string, ...more: string[]): IngestRun | undefined {
  const child = new URL('./ingest/run.ts', import.meta.url).pathname;
  const { signal, status, stdout } = spawnSync(
    process.execPath,
    [child, folder, OBJECT, options['warm-up'], ...more],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (signal === 'SIGKILL') return undefined;
  if (status !== 0) throw new Error(`the ingest ended with ${status}`);
  return JSON.parse(stdout.toString()) as IngestRun;
}

function ledgerState(folder: string): string {
  return stateOf(join(folder, 'ledger.sqlite'));
}

if (options.json) console.log(JSON.stringify({ node: process.version, runs }, null, 2));
else {
  const storing = ({ leanFloorMs, storedFloorMs }: Measured) => leanFloorMs + storedFloorMs;
  const megabytes = (octets: number) => `${(octets / 1e6).toFixed(0)} MB`;
  for (const run of runs) {
    const perSecond = (ms: number) => `${Math.round((run.entries * 1000) / ms)}/s`;
    const share = (floorMs: number) => `${((100 * floorMs) / run.ingestMs).toFixed(0)} %`;
    const killed =
      run.sameAfterKill === undefined
        ? ''
        : `   killed and resumed: ${run.sameAfterKill ? 'the same' : 'ANOTHER'} ledger`;
    console.log(
      `${run.entries} entries, ${run.accepted} accepted: ${perSecond(run.ingestMs)} on one core` +
        `   plain floor ${perSecond(run.plainFloorMs)} (${share(run.plainFloorMs)})` +
        `   lean floor ${perSecond(run.leanFloorMs)} (${share(run.leanFloorMs)})` +
        `   with what is stored ${perSecond(storing(run))} (${share(storing(run))})` +
        `   the first ${run.warmUp.entries}, start included, took ${(run.warmUp.ms / 1000).toFixed(1)} s` +
        ` (floor ${(run.warmUp.leanFloorMs / 1000).toFixed(1)} s)` +
        `   frames read in ${(run.scanMs / 1000).toFixed(1)} s` +
        `   resident ${megabytes(run.startRss)} at the first slice, ${megabytes(run.peakRss)} at most${killed}`,
    );
  }
}
if (runs.some(({ sameAfterKill }) => sameAfterKill === false)) process.exitCode = 1;
