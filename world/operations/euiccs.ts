import { toHex } from '../../shared/codec/bytes.ts';
import { MAKERS } from '../cast.ts';
import { NOTHING, type Operation } from './operation.ts';

export const EUICCS: Readonly<Record<string, Operation>> = {
  registerEuiccData: {
    weight: 8,
    async run(world, random) {
      const maker = world.eum(random);
      const first = random.below(maker.euiccs.length);
      const euiccs = maker.euiccs.slice(first, first + 1 + random.below(4));
      const makers = (random.chance(0.8) ? MAKERS : [random.pick(MAKERS)]).map(
        ({ identifier }) => identifier,
      );
      for (const { eid } of euiccs) world.checker.entitle(eid, makers);
      const der = maker.eum.euiccDataBatch(euiccs, {
        deviceManufacturers: makers,
        batchId: random.octets(16),
      });
      world.town.batches.push({ party: maker.party, der });
      const outcome = await world.call(random, maker.party, ({ services }, caller) =>
        services.ingest.registerEuiccData(caller, der),
      );
      return outcome.kind;
    },
  },
  repeatBatch: {
    weight: 2,
    async run(world, random) {
      if (world.town.batches.length === 0) return NOTHING;
      const { party, der } = random.pick(world.town.batches);
      const outcome = await world.call(random, party, ({ services }, caller) =>
        services.ingest.registerEuiccData(caller, der),
      );
      return outcome.kind;
    },
  },
  closeKeys: {
    weight: 1,
    async run(world, random) {
      const maker = world.eum(random);
      const { eid, oneTimeKeys } = random.pick(maker.euiccs);
      const keyId = toHex(random.pick(oneTimeKeys).keyId);
      const outcome = await world.call(random, maker.party, ({ services }, caller) =>
        services.ingest.closeKeys(caller, [{ eid, keyId }]),
      );
      return outcome.kind;
    },
  },
};
