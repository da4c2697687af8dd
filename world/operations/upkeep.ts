import { Fault } from '../../shared/errors.ts';
import { assignKey } from '../../shared/service/keys/assign-key.ts';
import { scrub } from '../../shared/service/verify/scrub.ts';
import { DELIVERY_KEYS, WRAPPING_KEYS } from '../cast.ts';
import { NOTHING, type Operation } from './operation.ts';

const HOUR = 60 * 60_000;

/** False where the server says that this cannot be done now. */
async function ifMade(change: Promise<void>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (error instanceof Fault && error.code === 'configuration') return false;
    throw error;
  }
}

export const UPKEEP: Readonly<Record<string, Operation>> = {
  reap: {
    weight: 3,
    run: async (world, random) => (await world.act(random, ({ reaper }) => reaper.round())).kind,
  },
  chainAudit: {
    weight: 3,
    run: async (world, random) => (await world.act(random, ({ audit }) => audit.chain())).kind,
  },
  archiveAudit: {
    weight: 0.5,
    run: async (world, random) => (await world.act(random, ({ audit }) => audit.archive())).kind,
  },
  passTime: {
    weight: 3,
    async run(world, random) {
      world.scheduler.pass(random.below(random.chance(0.2) ? HOUR : 60_000));
      return 'passed';
    },
  },
  moveClock: {
    weight: 0.6,
    async run(world, random) {
      const process = world.process(random);
      const ms = random.below(random.chance(0.3) ? 30 * 24 * HOUR : 10 * 60_000);
      const back = random.chance(0.5);
      world.onFault(back ? 'clockBack' : 'clockForward');
      process.skewMs = back ? -ms : ms;
      return back ? 'back' : 'forward';
    },
  },
  setClock: {
    weight: 1,
    async run(world) {
      for (const process of world.processes) process.skewMs = 0;
      return 'set';
    },
  },
  kill: {
    weight: 1,
    async run(world, random) {
      world.process(random).die();
      return 'killed';
    },
  },
  resume: {
    weight: 1,
    run: async (world, random) => (await world.act(random, ({ work }) => work.resume())).kind,
  },
  rotateWrappingKey: {
    weight: 0.4,
    async run(world, random) {
      const uri = WRAPPING_KEYS[world.town.wrappingKeys];
      if (uri === undefined) return NOTHING;
      world.town.wrappingKeys += 1;
      return (
        await world.act(random, ({ context }) => context.keyAssignments.assign('wrapping', uri, 'world'))
      ).kind;
    },
  },
  rewrap: {
    weight: 1,
    run: async (world, random) =>
      (await world.act(random, ({ wrappingRotation }) => wrappingRotation.rewrap())).kind,
  },
  rotateDeliveryKey: {
    weight: 0.2,
    async run(world, random) {
      const uri = DELIVERY_KEYS[world.town.deliveryKeys];
      if (uri === undefined) return NOTHING;
      world.town.deliveryKeys += 1;
      return (await world.act(random, ({ context }) => assignKey(context, 'delivery', uri, 'world'))).kind;
    },
  },
  /** A key that is retired may be destroyed: from then on it opens nothing, and nobody may need it. */
  retireWrappingKey: {
    weight: 0.4,
    async run(world, random) {
      if (world.town.wrappingKeys < 2) return NOTHING;
      const uri = WRAPPING_KEYS[random.below(world.town.wrappingKeys - 1)]!;
      const emptied = random.chance(0.5);
      const outcome = await world.act(random, async ({ wrappingRotation }) => {
        if (emptied) await wrappingRotation.rewrap();
        return await ifMade(wrappingRotation.retire(uri, 'world'));
      });
      if (outcome.kind !== 'answered') return outcome.kind;
      if (outcome.value) world.retiredKeys.set(uri, world.scheduler.now + HOUR);
      return outcome.value ? 'retired' : 'not yet';
    },
  },
  retireDeliveryKey: {
    weight: 0.1,
    async run(world, random) {
      if (world.town.deliveryKeys < 2) return NOTHING;
      const uri = DELIVERY_KEYS[random.below(world.town.deliveryKeys - 1)]!;
      const outcome = await world.act(random, ({ context }) =>
        ifMade(context.keyAssignments.retire('delivery', uri, 'world')),
      );
      if (outcome.kind !== 'answered') return outcome.kind;
      if (outcome.value) world.retiredKeys.set(uri, world.scheduler.now + HOUR);
      return outcome.value ? 'retired' : 'not yet';
    },
  },
  /** A copy of the ledger as of one moment, which is known to be old from then on. */
  backUp: {
    weight: 0.5,
    async run(world, random) {
      const copy = world.stores.ledger.snapshot();
      const outcome = await world.act(random, ({ standing }) => standing.renewAnchor());
      if (outcome.kind === 'answered') world.town.backup = copy;
      return outcome.kind;
    },
  },
  /** The ledger is lost, and put back from its backup, whatever happened since (I9). */
  restoreBackup: {
    weight: 0.12,
    async run(world, random) {
      const { backup } = world.town;
      if (backup === undefined || world.disaster !== undefined) return NOTHING;
      const told = world.checker.takings;
      const archive = await world.act(random, async ({ audit }) => {
        await audit.chain();
        await audit.archive();
      });
      const archived = archive.kind === 'answered' && random.chance(0.5);
      world.disaster = { kind: 'restored', backup, archived: archived ? told : undefined };
      return archived ? 'archived before' : 'to be put back';
    },
  },
  /** A power cut, and a disk that had said of the last writes that they were made. */
  loseWrites: {
    weight: 0.12,
    async run(world, random) {
      world.disaster ??= { kind: 'lostWrites', writes: 1 + random.below(40) };
      return 'to be lost';
    },
  },
  scrub: {
    weight: 0.5,
    run: async (world, random) => (await world.act(random, ({ unguarded }) => scrub(unguarded, 200))).kind,
  },
};
