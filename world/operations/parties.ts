import { MAKERS, OPERATORS, party } from '../cast.ts';
import { demand } from '../checker/violation.ts';
import { NOTHING, type Operation } from './operation.ts';

export const PARTIES: Readonly<Record<string, Operation>> = {
  registerCertificate: {
    weight: 0.3,
    async run(world, random) {
      const { identifier, role } = random.pick([...OPERATORS, ...MAKERS]);
      const one = party(identifier, role, 1 + world.town.numbered++);
      const { fingerprint } = one;
      const outcome = await world.act(random, ({ services }) =>
        services.parties.add(fingerprint, { identifier, role }, 'world'),
      );
      if (outcome.kind === 'answered') world.town.certificates.push({ party: one, state: 'registered' });
      return outcome.kind;
    },
  },
  revokeCertificate: {
    weight: 0.3,
    async run(world, random) {
      const registered = world.town.certificates.filter(({ state }) => state === 'registered');
      if (registered.length === 0) return NOTHING;
      const one = random.pick(registered);
      one.state = 'maybe';
      const outcome = await world.act(random, ({ services }) =>
        services.parties.revoke(one.party.fingerprint, 'world'),
      );
      if (outcome.kind === 'answered') {
        one.state = 'revoked';
        world.checker.takings += 1;
      }
      return outcome.kind;
    },
  },
  /** With a further certificate, which may have been revoked since, or with one that nobody registered (I7). */
  callWithCertificate: {
    weight: 1,
    async run(world, random) {
      const { certificates } = world.town;
      const known = random.chance(0.8) && certificates.length > 0 ? random.pick(certificates) : undefined;
      const one = known?.party ?? party('2.999.66', 'operator');
      const state = known?.state ?? 'revoked';
      const outcome = await world.call(
        random,
        one,
        async (_, { identifier, role }) => `${role} ${identifier}`,
      );
      if (outcome.kind !== 'answered')
        return outcome.kind === 'refused' ? `${state}: refused ${outcome.code}` : 'lost';
      demand(
        state !== 'revoked',
        'I7',
        () => `a call was taken with a certificate of ${outcome.value}, which is none`,
      );
      demand(
        outcome.value === `${one.role} ${one.identifier}`,
        'I7',
        () => `${one.identifier} was taken for ${outcome.value}`,
      );
      return `${state}: answered`;
    },
  },
};
