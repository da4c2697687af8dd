import { type Bytes, fromHex } from '../../shared/codec/bytes.ts';
import { signInstallationResult, signOtherNotification } from '../../sim/euicc/results.ts';
import { encodeProfileLoadingReport, type PersonalisedEuicc, type ReportItem } from '../../sim/index.ts';
import { MAKERS, type Maker } from '../cast.ts';
import { demand } from '../checker/violation.ts';
import type { Random } from '../random.ts';
import type { TownProfile } from '../town.ts';
import type { World } from '../world.ts';
import { NOTHING, type Operation } from './operation.ts';

const AID = fromHex('a0000005591010ffffffff8900001000');

function holder(world: World, eid: string): { readonly euicc: PersonalisedEuicc; readonly maker: Maker } {
  for (const maker of world.eums) {
    const euicc = maker.euiccs.find((one) => one.eid === eid);
    if (euicc !== undefined) return { euicc, maker };
  }
  throw new RangeError(`no eUICC ${eid}`);
}

function result(world: World, random: Random, { transactionId, iccid, eid }: TownProfile): Bytes {
  const { euicc } = holder(world, eid);
  const signer = random.chance(0.1) ? world.eums[0]!.euiccs[0]! : euicc;
  return signInstallationResult(
    {
      transactionId: fromHex(transactionId),
      notification: { seqNumber: 1 + random.below(9), event: 'install', address: '', iccid },
      smdpOid: '2.999.10',
      finalResult: random.chance(0.7)
        ? { isdpAid: AID }
        : { command: 'loadProfileElements', reason: 'installFailedDueToInsufficientMemoryForProfile' },
    },
    signer.key,
  );
}

function notification(world: World, { iccid, eid }: TownProfile): Bytes {
  const { euicc, maker } = holder(world, eid);
  const told = { seqNumber: 9, event: 'delete', address: 'smdpf.example.com', iccid } as const;
  return signOtherNotification(told, euicc.key, euicc.euiccCert, maker.eum.ca.certificate);
}

function drawItem(world: World, random: Random, profile: TownProfile): ReportItem {
  const { transactionId, eid } = profile;
  const kind = random.below(10);
  if (kind < 6) return { euiccResult: result(world, random, profile) };
  if (kind < 8) return { fpaError: { transactionId: fromHex(transactionId), eid, cause: 'damaged' } };
  if (kind < 9) return { otherSigned: notification(world, profile) };
  const octets = Uint8Array.from(result(world, random, profile));
  // of the contents, so that the report is read as one and its item is not
  octets[octets.length - 1 - random.below(40)]! ^= 1 + random.below(255);
  return { euiccResult: octets };
}

export const REPORTS: Readonly<Record<string, Operation>> = {
  sendProfileLoadingReport: {
    weight: 8,
    async run(world, random) {
      const profiles = [...world.town.profiles.values()];
      if (profiles.length === 0) return NOTHING;
      const count = 1 + random.below(random.chance(0.2) ? 5 : 2);
      const items = Array.from({ length: count }, () => drawItem(world, random, random.pick(profiles)));
      const der = encodeProfileLoadingReport({ reportId: random.octets(8), items });
      const maker = random.chance(0.9) ? random.pick(profiles).maker : random.pick(MAKERS);
      const report = { maker, der, name: `report ${world.town.reports.length}` };
      world.town.reports.push(report);
      return await send(world, random, report);
    },
  },
  repeatReport: {
    weight: 4,
    async run(world, random) {
      if (world.town.reports.length === 0) return NOTHING;
      return await send(world, random, random.pick(world.town.reports));
    },
  },
  handleNotification: {
    weight: 5,
    async run(world, random) {
      const profiles = [...world.town.profiles.values()];
      if (profiles.length === 0) return NOTHING;
      const profile = random.pick(profiles);
      const octets = random.chance(0.8) ? result(world, random, profile) : notification(world, profile);
      const outcome = await world.act(random, ({ services }) => services.reports.handleNotification(octets));
      return outcome.kind === 'refused' ? `refused ${outcome.code}` : outcome.kind;
    },
  },
};

async function send(world: World, random: Random, report: World['town']['reports'][number]): Promise<string> {
  const outcome = await world.call(random, report.maker, ({ services }, caller) =>
    services.reports.sendProfileLoadingReport(caller, report.der),
  );
  if (outcome.kind !== 'answered') return outcome.kind === 'refused' ? `refused ${outcome.code}` : 'lost';
  const { state, verified, noted, rejectedCount } = outcome.value;
  if (state !== 'Done') return state;
  const answer = `${verified} ${noted} ${rejectedCount}`;
  const before = world.town.outcomes.get(report.name);
  demand(
    before === undefined || before === answer,
    'I4',
    () => `a report was answered ${before}, and now ${answer}`,
  );
  world.town.outcomes.note(report.name, answer, world.stores.ledger.changes);
  return state;
}
