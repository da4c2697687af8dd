import type { Runtime } from '../shared/runtime.ts';
import { repair } from '../shared/service/verify/repair.ts';
import { demand } from './checker/violation.ts';
import { findingsOf } from './disaster.ts';
import { REQUESTS } from './operations/requests.ts';
import { Random, seedOf } from './random.ts';
import type { World } from './world.ts';

const HOUR = 60 * 60_000;

/**
 * The end of a history: every process stops and starts again, what was open is finished, what is due is reaped, and then
 * the world is at rest. All that went out goes out again as it was, and the server's own verification agrees.
 */
export async function settle(world: World, seed: number): Promise<void> {
  world.reseed(seedOf(seed, 1_000_000));
  for (const process of world.processes) process.plan([], 0);
  for (const process of world.processes) process.skewMs = 0;
  await world.restartAll();
  // traces of processes whose clocks were ahead are due late
  world.scheduler.pass(32 * 24 * HOUR);
  // what waits for the clock: tasks that are tried again, messages that are late
  for (let i = 0; i < 4; i++) {
    world.scheduler.pass(HOUR);
    await world.scheduler.settle();
  }
  const process = world.processes[0]!;
  const { runtime } = process;
  await world.scheduler.until(runtime.work.resume());
  await world.scheduler.settle();
  world.scheduler.pass(HOUR);
  await world.scheduler.settle();
  // upkeep of every minute: a data key that was moved half is still on the list of its former wrapping key
  await world.scheduler.until(runtime.wrappingRotation.rewrap());
  for (let round = 0; round < 40; round++) {
    const { destroyed } = await world.scheduler.until(runtime.reaper.round());
    if (destroyed === 0 && round > 30) break;
    world.scheduler.pass(HOUR);
  }
  const random = new Random(seed);
  for (let i = 0; i < 20; i++) {
    world.scheduler.pass(1_000);
    await world.scheduler.until(REQUESTS.getBppBatch!.run(world, random));
  }
  await world.scheduler.until(runtime.audit.chain());
  world.requireSound();
  if (world.wasStruck) await tidyUp(world, runtime);
  const { ledger, vault, ppks } = world.stores;
  // an anchor that a crash, or a write that was lost, left behind stays and is told of: it opens nothing
  const isLeftAnchor = (name: string) => name.startsWith('ledger/');
  // and so may an end of the audit log whose marks a ledger has lost
  const isToldOf = (name: string) =>
    isLeftAnchor(name) || (world.wasStruck && name.startsWith('audit-heads/'));
  const packs = ppks.names().filter((name) => !isLeftAnchor(name));
  world.checker.settled(ledger.all(), vault.names(''), packs);
  for (const { where, name, problem } of await world.scheduler.until(findingsOf(runtime)))
    demand(isToldOf(name), 'I11', () => `verification finds ${where} ${name}: ${problem}`);
}

/** What lies beside a ledger that has lost what it knew of it: `smdpf verify --repair` takes it away. */
async function tidyUp(world: World, runtime: Runtime): Promise<void> {
  for (const finding of await world.scheduler.until(findingsOf(runtime)))
    await world.scheduler.until(repair(runtime.context, finding));
}
