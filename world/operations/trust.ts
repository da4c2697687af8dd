import { createHash } from 'node:crypto';
import { toHex } from '../../shared/codec/bytes.ts';
import { parseCertificate } from '../../sim/index.ts';
import type { Maker } from '../cast.ts';
import { spkiOf } from '../keys.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { NOTHING, type Operation } from './operation.ts';

/** Of EIDs from which trust goes: from the call on it may be gone, and from its answer on it is, unless it came back. */
async function withdraw(
  world: World,
  random: Random,
  eids: readonly string[],
  change: Parameters<World['act']>[1],
): Promise<string> {
  const { checker, town } = world;
  for (const eid of eids) checker.maybeWithdrawn.add(eid);
  const before = eids.map((eid) => town.regained.get(eid) ?? 0);
  const outcome = await world.act(random, change);
  if (outcome.kind === 'answered') {
    checker.takings += 1;
    for (const [i, eid] of eids.entries())
      if ((town.regained.get(eid) ?? 0) === before[i]) checker.withdrawn.add(eid);
  }
  return outcome.kind;
}

/** Trust comes back: from the call on it may be there. Where nobody knows whether it is, nothing is demanded any more. */
async function regain(
  world: World,
  random: Random,
  eids: readonly string[],
  change: Parameters<World['act']>[1],
): Promise<string> {
  const { checker, town } = world;
  const count = (by: number) => {
    for (const eid of eids) {
      checker.withdrawn.delete(eid);
      town.regained.set(eid, (town.regained.get(eid) ?? 0) + by);
    }
  };
  count(1);
  const outcome = await world.act(random, change);
  count(outcome.kind === 'lost' ? Number.NaN : 1);
  return outcome.kind;
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
    weight: 0.4,
    async run(world, random) {
      const { ci, euiccs } = world.eum(random);
      const use = { forSigning: true, forVerification: true };
      const eids = euiccs.map(({ eid }) => eid);
      return await regain(world, random, eids, ({ trustAdministration }) =>
        trustAdministration.addCi(ci.certificate, use, 'world'),
      );
    },
  },
  revokeEum: {
    weight: 0.15,
    async run(world, random) {
      const { eum, euiccs } = world.eum(random);
      const eids = euiccs.map(({ eid }) => eid);
      return await withdraw(world, random, eids, ({ trustAdministration }) =>
        trustAdministration.revokeEum(toHex(eum.ca.keyId), 'world'),
      );
    },
  },
  allowEum: {
    weight: 0.4,
    async run(world, random) {
      const { eum, party, euiccs } = world.eum(random);
      const eids = euiccs.map(({ eid }) => eid);
      return await regain(world, random, eids, ({ trustAdministration }) =>
        trustAdministration.allowEum(eum.ca.certificate, { party: party.identifier }, 'world'),
      );
    },
  },
  installBindingKey: {
    weight: 0.4,
    async run(world, random) {
      const { ci, bindingKeys } = world.eum(random);
      const keyUri = random.pick(bindingKeys);
      const certificate = ci.issueDpPb({ spki: spkiOf(keyUri) }, { oid: '2.999.10' });
      const dp = { keyUri, ciPkId: ci.keyId, certificates: [certificate] };
      world.town.bindingCertificates.push(createHash('sha256').update(certificate).digest('hex'));
      return (
        await world.act(random, ({ trustAdministration }) => trustAdministration.installDpPb(dp, 'world'))
      ).kind;
    },
  },
  retireBindingKey: {
    weight: 0.1,
    async run(world, random) {
      const { bindingCertificates } = world.town;
      if (bindingCertificates.length === 0) return NOTHING;
      const name = random.pick(bindingCertificates);
      return (
        await world.act(random, ({ trustAdministration }) => trustAdministration.retireDpPb(name, 'world'))
      ).kind;
    },
  },
};
