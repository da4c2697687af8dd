import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { SANDBOX_EUM } from '../../cli/deployment/sandbox.ts';
import { WorkerLane } from '../../shared/jobs/worker-lane.ts';
import type { Caller } from '../../shared/service/api/caller.ts';
import { finishIngest, ingestIdOf, loadIngest } from '../../shared/service/esed1/euicc-batches.ts';
import { ingestSliceCount } from '../../shared/service/records/ingest.ts';
import { parseOpenWorkName } from '../../shared/service/records/keys.ts';
import { floorOfEntry } from './floor.ts';

/** What one ingest in a process of its own measured; times in milliseconds of the processor, memory in octets. */
export interface IngestRun {
  readonly entries: number;
  readonly accepted: number;
  /** Reading the batch as a whole; 0 where it is small and was read within its call. */
  readonly scanMs: number;
  /** Of the first slice, which starts the worker thread: in no other figure. */
  readonly startMs: number;
  /** Of the other slices, for as many entries as there are. */
  readonly ingestMs: number;
  /** For as many entries as were ingested. */
  readonly plainFloorMs: number;
  readonly leanFloorMs: number;
  /** Resident set size with its worker at the first slice, and the highest one after any. */
  readonly startRss: number;
  readonly peakRss: number;
}

/** Entries of each floor between slices: a tenth of a slice, so that the floor does not dominate the run. */
const FLOOR_ENTRIES = 50;
/** Into the slice that a run is to die in. */
const DIES_AFTER_MS = 50;

const [folder, object, diesIn] = process.argv.slice(2) as [string, string, string | undefined];
const deployment = await DeploymentFolder.open(folder);
const runtime = await deployment.openRuntime({ lanes: 'none' });
const { context, services } = runtime;
const caller: Caller = { identifier: SANDBOX_EUM, role: 'eum', fingerprint: '' };
const batch = (await context.vault.head(object))!;

await services.ingest.registerEuiccData(caller, batch);
const [open] = (await context.ledger.query('open-work')).items;
const { kind, id } = parseOpenWorkName(open!.sort);
const scanMs = kind === 'frames' ? await timed(() => runtime.work.runTask(kind, id, 0)) : 0;
const ingest = await loadIngest(context.ledger, id);
const frame = ingest.frame!;
if (id !== ingestIdOf(SANDBOX_EUM, ingest.batchId)) throw new Error('another batch is open');

// the embedded server runs slices in such a lane; one of them is one core
const lane = new WorkerLane(deployment.runtimeConfig(), ({ event, ...about }) => console.error(event, about));
const floors = { plain: floorOfEntry('plain', ingest.suite), lean: floorOfEntry('lean', ingest.suite) };
const spent = { start: 0, ingest: 0, plain: 0, lean: 0 };
let startRss = 0;
let peakRss = 0;
for (let slice = 0; slice < ingestSliceCount(frame); slice++) {
  if (diesIn === String(slice)) void delay(DIES_AFTER_MS).then(() => process.kill(process.pid, 'SIGKILL'));
  spent[slice === 0 ? 'start' : 'ingest'] += await timed(() => lane.run('euiccData', id, slice));
  for (const form of ['plain', 'lean'] as const) {
    spent[form] += await timed(async () => {
      for (let entry = 0; entry < FLOOR_ENTRIES; entry++) floors[form]();
    });
  }
  const rss = process.memoryUsage.rss();
  startRss ||= rss;
  peakRss = Math.max(peakRss, rss);
}
await lane.close();
await finishIngest(context, id);
const { accepted } = (await loadIngest(context.ledger, id)).done!;
const perEntry = frame.entries / (ingestSliceCount(frame) * FLOOR_ENTRIES);
const run: IngestRun = {
  entries: frame.entries,
  accepted,
  scanMs,
  startMs: spent.start,
  ingestMs: (spent.ingest * frame.entries) / (frame.entries - Math.min(frame.sliceSize, frame.entries - 1)),
  plainFloorMs: spent.plain * perEntry,
  leanFloorMs: spent.lean * perEntry,
  startRss,
  peakRss,
};
await runtime.close();
console.log(JSON.stringify(run));

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
