import { toHex } from '../../shared/codec/bytes.ts';
import { parseCertificate } from '../../sim/index.ts';
import type { Maker } from '../cast.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import type { Operation } from './operation.ts';

/** Of EIDs from which trust goes: from the call on it may be gone, and from its answer on it is. */
async function withdraw(
  world: World,
  random: Random,
  eids: readonly string[],
  change: Parameters<World['act']>[1],
): Promise<string> {
  for (const eid of eids) world.checker.maybeWithdrawn.add(eid);
  const outcome = await world.act(random, change);
  if (outcome.kind === 'answered') for (const eid of eids) world.checker.withdrawn.add(eid);
  return outcome.kind;
}

/** Trust comes back: first it may be there, then the change is made. */
function regain(world: World, eids: readonly string[]): void {
  for (const eid of eids) world.checker.withdrawn.delete(eid);
}

const serialOf = (certificate: Uint8Array) => parseCertificate(certificate).serialNumber;

async function takeCrl(
  world: World,
  random: Random,
  maker: Maker,
  revoked: readonly string[],
): Promise<string> {
  const { town } = world;
  const eids = maker.euiccs
    .filter(({ euiccCert }) => revoked.includes(serialOf(euiccCert)))
    .map(({ eid }) => eid);
  const crl = maker.eum.ca.issueCrl({ revoked, number: town.crlNumber++ });
  const issuerChain = [[maker.eum.ca.certificate]];
  return await withdraw(world, random, eids, ({ trustAdministration }) =>
    trustAdministration.addCrl(crl, issuerChain, 'world'),
  );
}

export const TRUST: Readonly<Record<string, Operation>> = {
  revokeEuicc: {
    weight: 0.4,
    async run(world, random) {
      const { eid } = random.pick(world.eum(random).euiccs);
      return await withdraw(world, random, [eid], ({ trustAdministration }) =>
        trustAdministration.revokeEuicc(eid, 'world'),
      );
    },
  },
  addCrl: {
    weight: 0.6,
    async run(world, random) {
      const maker = world.eum(random);
      const key = maker.curve;
      const revoked = [...(world.town.revokedSerials.get(key) ?? [])];
      if (random.chance(0.4)) revoked.push(serialOf(random.pick(maker.euiccs).euiccCert));
      world.town.revokedSerials.set(key, revoked);
      return await takeCrl(world, random, maker, revoked);
    },
  },
  withdrawCi: {
    weight: 0.15,
    async run(world, random) {
      const { ci, euiccs } = world.eum(random);
      const eids = euiccs.map(({ eid }) => eid);
      return await withdraw(world, random, eids, ({ trustAdministration }) =>
        trustAdministration.removeCi(toHex(ci.keyId), 'world'),
      );
    },
  },
  trustCi: {
    weight: 0.3,
    async run(world, random) {
      const { ci, euiccs } = world.eum(random);
      // those that were revoked by themselves stay so
      const eids = euiccs.map(({ eid }) => eid);
      regain(world, eids);
      const use = { forSigning: true, forVerification: true };
      const outcome = await world.act(random, ({ trustAdministration }) =>
        trustAdministration.addCi(ci.certificate, use, 'world'),
      );
      return outcome.kind;
    },
  },
};
