import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import { SANDBOX_EUM } from '../../cli/deployment/sandbox.ts';
import { WorkerLane } from '../../shared/jobs/worker-lane.ts';
import type { Caller } from '../../shared/service/api/caller.ts';
import { finishIngest, ingestIdOf, loadIngest } from '../../shared/service/esed1/euicc-batches.ts';
import { ingestSliceCount } from '../../shared/service/records/ingest.ts';
import { parseOpenWorkName } from '../../shared/service/records/keys.ts';
import { floorOfEntry } from './floor.ts';
import { StoredFloor } from './stored-floor.ts';

/** What one ingest in a process of its own measured; times in milliseconds of the processor, memory in octets. */
export interface IngestRun {
  readonly entries: number;
  readonly accepted: number;
  /** Reading the batch as a whole; 0 where it is small and was read within its call. */
  readonly scanMs: number;
  /** Of the slices before the others, the first of which starts the worker thread: in no other figure. */
  readonly warmUp: { readonly entries: number; readonly ms: number; readonly leanFloorMs: number };
  /** Of the other slices, for as many entries as there are. */
  readonly ingestMs: number;
  /** Beside those other slices, for as many entries. */
  readonly plainFloorMs: number;
  readonly leanFloorMs: number;
  /** What storing as many rows takes, over and above: stored-floor.ts. */
  readonly storedFloorMs: number;
  /** Resident set size with its worker at the first slice, and the highest one after any. */
  readonly startRss: number;
  readonly peakRss: number;
}

/** Entries of each floor between slices: a fifth of a slice, so that the floor does not dominate the run. */
const FLOOR_ENTRIES = 100;
/** Into the slice that a run is to die in. */
const DIES_AFTER_MS = 50;

const [folder, object, warmUp, diesIn] = process.argv.slice(2) as [
  string,
  string,
  string,
  string | undefined,
];
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
if (frame.entries <= frame.sliceSize)
  throw new Error(`${frame.sliceSize} entries are no more than one slice`);
if (id !== ingestIdOf(SANDBOX_EUM, ingest.batchId)) throw new Error('another batch is open');

// the embedded server runs slices in such a lane; one of them is one core
const lane = new WorkerLane(deployment.runtimeConfig(), ({ event, ...about }) => console.error(event, about));
const floors = { plain: floorOfEntry('plain', ingest.suite), lean: floorOfEntry('lean', ingest.suite) };
const spent = {
  warmUp: { ingest: 0, plain: 0, lean: 0 },
  measured: { ingest: 0, plain: 0, lean: 0 },
};
const slices = ingestSliceCount(frame);
const before = Math.min(Math.max(1, Math.ceil(Number(warmUp) / frame.sliceSize)), slices - 1);
let storedMs = 0;
let startRss = 0;
let peakRss = 0;
let stored: StoredFloor | undefined;
for (let slice = 0; slice < slices; slice++) {
  const into = slice < before ? spent.warmUp : spent.measured;
  if (diesIn === String(slice)) void delay(DIES_AFTER_MS).then(() => process.kill(process.pid, 'SIGKILL'));
  into.ingest += await timed(() => lane.run('euiccData', id, slice));
  for (const form of ['plain', 'lean'] as const) {
    into[form] += await timed(async () => {
      for (let entry = 0; entry < FLOOR_ENTRIES; entry++) floors[form]();
    });
  }
  // its file grows as the ledger does
  stored ??= new StoredFloor(join(folder, 'ledger.sqlite'), join(folder, `floor-${process.pid}.sqlite`));
  const storing = await timed(async () => stored?.store(frame.sliceSize));
  if (slice >= before) storedMs += storing;
  const rss = process.memoryUsage.rss();
  startRss ||= rss;
  peakRss = Math.max(peakRss, rss);
}
stored?.close();
await lane.close();
await finishIngest(context, id);
const { accepted } = (await loadIngest(context.ledger, id)).done!;
const warmEntries = before * frame.sliceSize;
const floorMs = (ms: number) => (ms * frame.entries) / ((slices - before) * FLOOR_ENTRIES);
const run: IngestRun = {
  entries: frame.entries,
  accepted,
  scanMs,
  warmUp: {
    entries: warmEntries,
    ms: spent.warmUp.ingest,
    leanFloorMs: (spent.warmUp.lean * frame.sliceSize) / FLOOR_ENTRIES,
  },
  ingestMs: (spent.measured.ingest * frame.entries) / (frame.entries - warmEntries),
  plainFloorMs: floorMs(spent.measured.plain),
  leanFloorMs: floorMs(spent.measured.lean),
  storedFloorMs: (storedMs * frame.entries) / ((slices - before) * frame.sliceSize),
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
