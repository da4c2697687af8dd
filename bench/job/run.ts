import { setTimeout as delay } from 'node:timers/promises';
import { DeploymentFolder } from '../../cli/deployment/folder.ts';
import type { Caller } from '../../shared/service/api/caller.ts';
import { FIRST, FIRST_ID, MAKER, REQUEST, REQUEST_ID } from './names.ts';

/** What one process that worked on the job measured; memory in octets, of all its threads. */
export interface JobRun {
  readonly items: number;
  readonly bound: number;
  /** Of the job before, which starts the worker threads and has their code compiled: in no other figure. */
  readonly startCpuSeconds: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Most resident memory in each tenth of the way, as far as this process went. */
  readonly memory: readonly (number | null)[];
}

/** The end is seen to a tenth of a second: half a one would be a seventh of a job of 10,000. To be asked takes the server a millisecond. */
const POLL_MS = 100;

const [folder, killAt] = process.argv.slice(2) as [string, string | undefined];
const deployment = await DeploymentFolder.open(folder);
const runtime = await deployment.openRuntime({ lanes: 'workers' });
const { context, services } = runtime;
const maker: Caller = { identifier: MAKER, role: 'deviceMaker', fingerprint: '' };
const request = await context.vault.get((await context.vault.head(REQUEST))!);
const requestId = REQUEST_ID.toString('hex');

const startCpuSeconds = await firstJob();
const memory: number[] = [];
const started = performance.now();
const cpuStarted = process.cpuUsage();
let answer = await services.delivery.requestBpp(maker, request);
while (answer.state !== 'Done') {
  await delay(POLL_MS);
  answer = await services.delivery.getBppBatch(maker, { requestId });
  const part = answer.state === 'Done' ? 1 : answer.processed / answer.items;
  const tenth = Math.min(9, Math.floor(part * 10));
  memory[tenth] = Math.max(memory[tenth] ?? 0, process.memoryUsage.rss());
  if (part >= Number(killAt ?? Number.POSITIVE_INFINITY)) process.kill(process.pid, 'SIGKILL');
}
const cpu = process.cpuUsage(cpuStarted);
const run: JobRun = {
  items: answer.items,
  bound: answer.items - answer.failed.length,
  startCpuSeconds,
  seconds: (performance.now() - started) / 1000,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  memory: Array.from({ length: 10 }, (_, tenth) => memory[tenth] ?? null),
};
await runtime.close();
console.log(JSON.stringify(run));

/** Seconds of the processor. */
async function firstJob(): Promise<number> {
  const before = process.cpuUsage();
  const body = await context.vault.get((await context.vault.head(FIRST))!);
  let { state } = await services.delivery.requestBpp(maker, body);
  while (state !== 'Done') {
    await delay(POLL_MS);
    ({ state } = await services.delivery.getBppBatch(maker, { requestId: FIRST_ID.toString('hex') }));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
