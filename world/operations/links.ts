import { decodeBppItem } from '../../sim/ifpp-draft1.ts';
import { readAll } from '../../sim/tlv.ts';
import { MAKERS } from '../cast.ts';
import { demand } from '../checker/violation.ts';
import { NOTHING, type Operation } from './operation.ts';

export const LINKS: Readonly<Record<string, Operation>> = {
  getTransfer: {
    weight: 2,
    async run(world, random) {
      const { parts, links } = world.town;
      if (parts.length === 0) return NOTHING;
      const { maker, requestId, name } = random.pick(parts);
      const outcome = await world.call(random, maker, ({ services }, by) =>
        services.transfers.getTransfer(by, { requestId, name }),
      );
      if (outcome.kind === 'answered') links.push({ maker, requestId, name });
      return outcome.kind === 'refused' ? `refused ${outcome.code}` : outcome.kind;
    },
  },
  /** A link that was given out before: it serves its holder, and nothing of an eUICC of which trust was withdrawn since. */
  useLink: {
    weight: 3,
    async run(world, random) {
      const { town, stores } = world;
      if (town.links.length === 0) return NOTHING;
      const { maker, requestId, name } = random.pick(town.links);
      const user = random.chance(0.8) ? maker : random.pick(MAKERS);
      const withdrawn = world.withdrawnThroughout();
      const holder = { party: maker.identifier, asked: { requestId, name } };
      const outcome = await world.call(random, user, ({ services }, by) =>
        services.transfers.requireMayUse(by, { operation: 'download', holder, name }),
      );
      if (outcome.kind !== 'answered')
        return outcome.kind === 'refused' ? `refused ${outcome.code}` : outcome.kind;
      demand(user === maker, 'I7', () => `${user.identifier} used a link of ${maker.identifier}`);
      const octets = stores.vault.raw(name);
      if (octets === undefined || world.damages > 0) return 'answered';
      for (const { raw } of readAll(octets)) {
        const { eid, bound } = decodeBppItem(raw);
        demand(
          bound === undefined || !withdrawn(eid),
          'I6',
          () => `a link serves a BPP of ${eid}, from which trust was withdrawn`,
        );
      }
      return 'answered';
    },
  },
};
