import { DELIVERY_KEYS, WRAPPING_KEYS } from '../cast.ts';
import { spkiOf } from '../keys.ts';
import { NOTHING, type Operation } from './operation.ts';

const HOUR = 60 * 60_000;

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
    weight: 0.3,
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
    weight: 0.1,
    async run(world, random) {
      const uri = DELIVERY_KEYS[world.town.deliveryKeys];
      if (uri === undefined) return NOTHING;
      world.town.deliveryKeys += 1;
      return (
        await world.act(random, ({ context }) => context.keyAssignments.assign('delivery', uri, 'world'))
      ).kind;
    },
  },
  installBindingKey: {
    weight: 0.3,
    async run(world, random) {
      const { ci, bindingKeys } = world.eum(random);
      const keyUri = random.pick(bindingKeys);
      const certificate = ci.issueDpPb({ spki: spkiOf(keyUri) }, { oid: '2.999.10' });
      const dp = { keyUri, ciPkId: ci.keyId, certificates: [certificate] };
      return (
        await world.act(random, ({ trustAdministration }) => trustAdministration.installDpPb(dp, 'world'))
      ).kind;
    },
  },
};
