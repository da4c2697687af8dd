import { Fault } from '../shared/errors.ts';
import type { Runtime } from '../shared/runtime.ts';
import { assignKey } from '../shared/service/keys/assign-key.ts';
import { restore } from '../shared/service/restore/restore.ts';
import type { Finding } from '../shared/service/verify/finding.ts';
import { verify } from '../shared/service/verify/verify.ts';
import { DELIVERY_KEYS, WRAPPING_KEYS } from './cast.ts';
import { demand } from './checker/violation.ts';
import { type Disaster, drawPlans } from './faults.ts';
import { Died } from './process.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const QUARTER = 15 * 60_000;
/** Runs of a restore that may die in the middle; the next one goes on. */
const INTERRUPTED = 3;

/** Ends every process, does to the ledger what the disaster does, and brings the deployment up again as an operator would. */
export async function strike(world: World, disaster: Disaster, random: Random): Promise<void> {
  const { scheduler, checker, town, stores } = world;
  for (const process of world.processes) process.die();
  // messages that are still under way arrive at the ledger that is lost
  scheduler.pass(QUARTER);
  await scheduler.settle();
  world.requireSound();
  if (disaster.kind === 'restored') {
    world.onFault('ledgerRestored');
    stores.ledger.restore(disaster.backup);
  } else {
    world.onFault('lyingDisk');
    stores.ledger.forget(disaster.writes);
  }
  // what was taken away since is taken away again as far as the archive tells of it; what was given has to be given again
  if (disaster.kind !== 'restored' || disaster.archived !== checker.takings) {
    checker.withdrawn.clear();
    checker.forgetEnded();
    for (const one of town.certificates) if (one.state === 'revoked') one.state = 'maybe';
  }
  const { changes } = stores.ledger;
  for (const told of [town.served, town.outcomes, town.replacements]) told.forgetAfter(changes);
  // an order that was open comes back with the rows that it had, or is closed
  const wasOpen = new Set(
    town.orders.filter(({ iccids }) => iccids.length > 0).map(({ orderId }) => orderId),
  );
  town.rows.forgetAfter(changes, (name) => !wasOpen.has(name.slice(0, name.lastIndexOf('/'))));
  // one that was registered since is unknown until its EUM sends it again
  for (const { euiccs } of world.eums)
    for (const { eid } of euiccs) if (town.served.get(eid) === undefined) checker.maybeWithdrawn.add(eid);
  town.backup = undefined;
  checker.audit.forget();
  // who keeps backups keeps the keys that these name; and a retirement may be among what was lost
  world.retiredKeys.clear();
  world.wasStruck = true;

  checker.restoring = true;
  if (disaster.kind === 'restored') await freeze(world, 'put back from a backup, and not reconciled');
  await restoreUntilUp(world, random);
  if (disaster.kind === 'lostWrites' && (await isBehind(world))) {
    await freeze(world, 'a verification has found what it does not know');
    await restoreUntilUp(world, random);
  }
  checker.restoring = false;
  await world.revive();
}

async function restoreUntilUp(world: World, random: Random): Promise<void> {
  for (let run = 0; ; run++) {
    const plans = run < INTERRUPTED ? drawPlans(random) : [];
    const isUp = await bringUp(world, plans, random.next());
    for (const process of world.processes) process.die();
    await world.scheduler.settle();
    world.requireSound();
    if (isUp) return;
  }
}

/**
 * What an operator asks a verification after a power cut: whether there is anything that the ledger does not know, beyond
 * commits, of which a start learns by itself. Locked records tell of orders and jobs, the PPK vault of the end of the audit log.
 */
async function isBehind(world: World): Promise<boolean> {
  const process = await world.startProcess();
  const findings = await world.scheduler.until(findingsOf(process.runtime));
  process.die();
  return findings.some(
    ({ where, problem }) => where === 'audit log' || problem.startsWith('a locked record tells of'),
  );
}

export async function findingsOf({ unguarded }: Runtime): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for await (const { findings } of verify(unguarded)) found.push(...findings);
  return found;
}

/** As `smdpf restore put` does with what it has put there, before anybody else can start on it. */
async function freeze(world: World, why: string): Promise<void> {
  const process = await world.startProcess();
  await world.scheduler.until(process.run(({ standing }) => standing.freeze(why)));
  process.die();
}

/** One run of `smdpf restore run`; false where it died, or failed in a way that may pass. */
async function bringUp(world: World, plans: ReturnType<typeof drawPlans>, seed: number): Promise<boolean> {
  const process = await world.startProcess();
  process.plan(plans, seed);
  const run = async ({ standing, unguarded, audit, context }: Runtime): Promise<void> => {
    if ((await standing.why()) === undefined) return;
    const { twice } = await restore(unguarded, standing);
    demand(
      twice.length === 0,
      'I9',
      () => `a restore has found keys that are bound twice: ${JSON.stringify(twice)}`,
    );
    await audit.chain();
    // administrators make again what the restore lists: keys that were assigned since
    const again = (role: 'wrapping' | 'delivery', uri: string) =>
      assignKey(context, role, uri, 'world').catch((error: unknown) => {
        if (!(error instanceof Fault) || error.code !== 'configuration') throw error;
      });
    for (const uri of WRAPPING_KEYS.slice(1, world.town.wrappingKeys)) await again('wrapping', uri);
    for (const uri of DELIVERY_KEYS.slice(1, world.town.deliveryKeys)) await again('delivery', uri);
  };
  try {
    await world.scheduler.until(process.run(run));
    return true;
  } catch (error) {
    if (error instanceof Died || (error instanceof Fault && error.retryable)) return false;
    throw error;
  }
}
