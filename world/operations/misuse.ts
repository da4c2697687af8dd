import { createHash } from 'node:crypto';
import { MAKERS, OPERATORS } from '../cast.ts';
import { demand } from '../checker/violation.ts';
import type { World } from '../world.ts';
import { RATE } from '../world.ts';
import { NOTHING, type Operation } from './operation.ts';

/** Tokens that a process may hold for a party before they are used. */
const LEASED = 16;

const other = <T>(all: readonly T[], than: T): T => all.find((one) => one !== than) ?? than;

/** Octets of something that was sent before, with some of them changed. */
function spoilt(world: World, random: Parameters<Operation['run']>[1]): Uint8Array | undefined {
  const { requests, batches, reports } = world.town;
  const all = [...requests, ...batches, ...reports];
  if (all.length === 0) return undefined;
  const octets = Uint8Array.from(random.pick(all).der);
  for (let i = 0; i <= random.below(3); i++) octets[random.below(octets.length)] = random.below(256);
  return octets.subarray(0, random.chance(0.2) ? random.below(octets.length) : octets.length);
}

export const MISUSE: Readonly<Record<string, Operation>> = {
  orderOfAnother: {
    weight: 3,
    async run(world, random) {
      if (world.town.orders.length === 0) return NOTHING;
      const { orderId, operator, iccids } = random.pick(world.town.orders);
      const stranger = other(OPERATORS, operator);
      const calls = [
        () =>
          world.call(random, stranger, ({ services }, by) => services.orders.getOrderStatus(by, { orderId })),
        () =>
          world.call(random, stranger, ({ services }, by) => services.orders.cancelOrder(by, { orderId })),
        () =>
          world.call(random, stranger, ({ services }, by) =>
            services.orders.releaseProfile(by, { orderId, iccid: iccids[0] ?? '8933000000000000000' }),
          ),
      ];
      const outcome = await random.pick(calls)();
      demand(outcome.kind !== 'answered', 'I7', () => `${stranger.identifier} reached ${orderId}`);
      return outcome.kind;
    },
  },
  requestOfAnother: {
    weight: 3,
    async run(world, random) {
      if (world.town.requests.length === 0) return NOTHING;
      const { maker, requestId } = random.pick(world.town.requests);
      const stranger = other(MAKERS, maker);
      const outcome = await world.call(random, stranger, ({ services }, by) =>
        services.delivery.getBppBatch(by, { requestId }),
      );
      demand(outcome.kind !== 'answered', 'I7', () => `${stranger.identifier} reached ${requestId}`);
      return outcome.kind;
    },
  },
  spoiltInput: {
    weight: 4,
    async run(world, random) {
      const octets = spoilt(world, random);
      if (octets === undefined) return NOTHING;
      const maker = random.pick(MAKERS);
      const eum = world.eum(random).party;
      const calls = [
        () => world.act(random, ({ services }) => services.reports.handleNotification(octets)),
        () => world.call(random, eum, ({ services }, by) => services.ingest.registerEuiccData(by, octets)),
        () =>
          world.call(random, maker, ({ services }, by) =>
            services.reports.sendProfileLoadingReport(by, octets),
          ),
      ];
      return (await random.pick(calls)()).kind;
    },
  },
  /**
   * More calls at one moment than a party has: the rest is refused, and another party is served (I13). What a stretch
   * of time lets through is the burst, what is earned in it, and what the process held before it; another process whose
   * clock is ahead may fill the burst once more.
   */
  burst: {
    weight: 0.15,
    async run(world, random) {
      const process = world.process(random);
      const greedy = random.pick(OPERATORS);
      const identify = (certificate: typeof greedy.certificate) =>
        world.settled(process, ({ services }) => services.parties.identify(certificate));
      const begun = world.scheduler.now;
      const outcomes = await Promise.all(
        Array.from({ length: RATE.burst + 100 }, () => identify(greedy.certificate)),
      );
      const took = outcomes.filter(({ kind }) => kind === 'answered').length;
      const stretch = world.scheduler.now - begun;
      const agree = world.processes.every(({ skewMs }) => skewMs === process.skewMs);
      const most = RATE.burst * (agree ? 1 : 2) + Math.ceil((stretch * RATE.perSecond) / 1000) + LEASED;
      demand(took <= most, 'I13', () => `${took} calls were taken where ${most} may be`);
      const quiet = await identify(other(OPERATORS, greedy).certificate);
      return quiet.kind === 'refused' ? 'the other was refused' : `${quiet.kind}`;
    },
  },
  uploads: {
    weight: 1,
    async run(world, random) {
      const maker = random.pick(MAKERS);
      const body = random.octets(64);
      const sha256 = createHash('sha256').update(body).digest('hex');
      const content = { purpose: 'profileLoadingReport', size: body.length, sha256 } as const;
      const opened = await world.call(random, maker, ({ services }, by) =>
        services.transfers.openTransfer(by, content),
      );
      if (opened.kind !== 'answered') return opened.kind === 'refused' ? `refused ${opened.code}` : 'lost';
      if (random.chance(0.5)) world.stores.vault.put(`uploads/${opened.value.transferId}`, body);
      return 'opened';
    },
  },
};
