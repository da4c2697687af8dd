import type { OrderInput } from '../../shared/service/api/es2f.ts';
import { MAKERS, OPERATORS } from '../cast.ts';
import { demand } from '../checker/violation.ts';
import type { TownOrder } from '../town.ts';
import type { World } from '../world.ts';
import { NOTHING, type Operation } from './operation.ts';

const METADATA = { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'test' };

const SERIES = 10n ** 9n;
/** The first ICCID of the orders that begin a series of their own. */
const startOf = (series: number): bigint => (893_300_000n + BigInt(series)) * SERIES;

function inputOf(
  world: World,
  { orderId, makers, quantity }: Omit<TownOrder, 'input' | 'iccids' | 'operator'>,
  shares: Readonly<Record<string, number>> | undefined,
  keys: 'generate' | 'template',
  iccidStart: bigint,
): OrderInput {
  return {
    orderId,
    profileType: 'test',
    quantity,
    requesterDms: makers.map(({ identifier }) => identifier),
    template: world.cast.template,
    ...(shares === undefined ? {} : { shares }),
    personalisation: { iccidStart: String(iccidStart), keys },
    ...(keys === 'generate' ? { outputKey: world.cast.outputKey } : {}),
    eligibility: {},
    metadata: METADATA,
  };
}

const inputs = new WeakMap<TownOrder, OrderInput>();
/** The ICCIDs that they begin with. */
const starts = new WeakMap<TownOrder, bigint>();

async function send(
  world: World,
  random: Parameters<Operation['run']>[1],
  order: TownOrder,
): Promise<string> {
  const outcome = await world.call(random, order.operator, ({ services }, caller) =>
    services.orders.prepareProfiles(caller, inputs.get(order)!),
  );
  if (outcome.kind !== 'answered') return outcome.kind === 'refused' ? `refused ${outcome.code}` : 'lost';
  const { iccids, state } = outcome.value;
  if (iccids !== undefined) {
    const known = order.iccids;
    const same = known.length === iccids.length && known.every((one, i) => one === iccids[i]);
    // what a disaster has left of two attempts at a pack, a restore closes: rows made afresh would be others
    const wasClosed = world.wasStruck && state === 'Closed' && iccids.every((one) => known.includes(one));
    // I4: the same order has the same profiles
    demand(
      known.length === 0 || same || wasClosed,
      'I4',
      () => `order ${order.orderId} has other profiles than before`,
    );
    if (!wasClosed) order.iccids = iccids;
  }
  return state;
}

export const ORDERS: Readonly<Record<string, Operation>> = {
  prepareProfiles: {
    weight: 7,
    async run(world, random) {
      const { town } = world;
      const operator = random.pick(OPERATORS);
      const makers = random.chance(0.7) ? MAKERS : [random.pick(MAKERS)];
      const quantity = 1 + random.below(random.chance(0.2) ? 12 : 6);
      const base = { orderId: `ORD-${town.numbered++}`, makers, quantity };
      const maker = random.pick(makers).identifier;
      const shares = random.chance(0.2) ? { [maker]: 1 + random.below(quantity) } : undefined;
      if (shares !== undefined) world.checker.share(base.orderId, maker, shares[maker]!);
      const start = startOf(town.orders.length);
      const input = inputOf(world, base, shares, random.chance(0.3) ? 'generate' : 'template', start);
      const order: TownOrder = { ...base, operator, iccids: [], input: {} };
      inputs.set(order, input);
      starts.set(order, start);
      town.orders.push(order);
      return await send(world, random, order);
    },
  },
  /** Its last ICCID is that of an order before: unless it was released there, no profile of this one is ever made. */
  orderOfTakenIccid: {
    weight: 1,
    async run(world, random) {
      const { town } = world;
      if (town.orders.length === 0) return NOTHING;
      const taken = random.pick(town.orders);
      const before = 1 + random.below(8);
      const base = { orderId: `ORD-${town.numbered++}`, makers: taken.makers, quantity: before + 1 };
      const start = starts.get(taken)! - BigInt(before);
      const order: TownOrder = { ...base, operator: random.pick(OPERATORS), iccids: [], input: {} };
      inputs.set(order, inputOf(world, base, undefined, 'template', start));
      starts.set(order, start);
      town.orders.push(order);
      return await send(world, random, order);
    },
  },
  repeatOrder: {
    weight: 3,
    async run(world, random) {
      if (world.town.orders.length === 0) return NOTHING;
      return await send(world, random, random.pick(world.town.orders));
    },
  },
  otherOrderOfSameName: {
    weight: 1,
    async run(world, random) {
      if (world.town.orders.length === 0) return NOTHING;
      const order = random.pick(world.town.orders);
      const outcome = await world.call(random, order.operator, ({ services }, caller) =>
        services.orders.prepareProfiles(caller, { ...inputs.get(order)!, quantity: order.quantity + 1 }),
      );
      // where the first call had no effect this one is the order
      demand(
        outcome.kind !== 'answered' || order.iccids.length === 0,
        'I4',
        () => `order ${order.orderId} was taken twice, with two quantities`,
      );
      if (outcome.kind === 'answered') {
        const index = world.town.orders.indexOf(order);
        const quantity = order.quantity + 1;
        const changed = { ...order, quantity };
        inputs.set(changed, { ...inputs.get(order)!, quantity });
        starts.set(changed, starts.get(order)!);
        world.town.orders[index] = changed;
      }
      return outcome.kind;
    },
  },
  getOrderStatus: {
    weight: 6,
    async run(world, random) {
      if (world.town.orders.length === 0) return NOTHING;
      const { orderId, operator } = random.pick(world.town.orders);
      const before = new Set(
        [...world.town.profiles.values()].filter((one) => one.orderId === orderId).map(({ iccid }) => iccid),
      );
      const outcome = await world.call(random, operator, ({ services }, caller) =>
        services.orders.getOrderStatus(caller, { orderId }),
      );
      if (outcome.kind !== 'answered') return outcome.kind;
      for (const { iccid, eid, state } of outcome.value.items) {
        if (!before.has(iccid)) continue;
        demand(eid === world.checker.eidOf(iccid), 'I2', () => `the status says that ${iccid} is of ${eid}`);
        demand(state !== 'Available' && state !== 'Closed', 'I2', () => `bound ${iccid} is ${state}`);
      }
      return 'answered';
    },
  },
  cancelOrder: {
    weight: 1,
    async run(world, random) {
      if (world.town.orders.length === 0) return NOTHING;
      const { orderId, operator, iccids } = random.pick(world.town.orders);
      const one = random.chance(0.85) && iccids.length > 0 ? { iccid: random.pick(iccids) } : {};
      const closes = random.chance(0.5) && !('iccid' in one);
      const outcome = await world.call<unknown>(random, operator, ({ services }, caller) =>
        closes
          ? services.orders.closeOrder(caller, { orderId })
          : services.orders.cancelOrder(caller, { orderId, ...one }),
      );
      if (outcome.kind === 'answered' && !('iccid' in one)) world.checker.ended(orderId);
      return outcome.kind;
    },
  },
  releaseProfile: {
    weight: 1,
    async run(world, random) {
      const order = world.town.orders.findLast(({ iccids }) => iccids.length > 0);
      if (order === undefined) return NOTHING;
      const iccid = random.pick(order.iccids);
      const outcome = await world.call(random, order.operator, ({ services }, caller) =>
        services.orders.releaseProfile(caller, { orderId: order.orderId, iccid }),
      );
      if (outcome.kind === 'answered')
        demand(world.checker.eidOf(iccid) === undefined, 'I2', () => `bound ${iccid} was released`);
      return outcome.kind;
    },
  },
  replaceProfile: {
    weight: 3,
    async run(world, random) {
      const { town } = world;
      const of = [...town.profiles.values()];
      if (of.length === 0) return NOTHING;
      const { orderId, iccid } = random.pick(of);
      const order = town.orders.find((one) => one.orderId === orderId)!;
      const outcome = await world.call(random, order.operator, ({ services }, caller) =>
        services.orders.replaceProfile(caller, { orderId, iccid }),
      );
      if (outcome.kind !== 'answered') return outcome.kind;
      const { value } = outcome;
      demand(value.eid === world.checker.eidOf(iccid), 'I2', () => `${iccid} is replaced for ${value.eid}`);
      const known = town.replacements.get(iccid);
      demand(known === undefined || known === value.iccid, 'I4', () => `${iccid} has two replacements`);
      town.replacements.note(iccid, value.iccid, world.stores.ledger.changes);
      return 'answered';
    },
  },
  checkEligibility: {
    weight: 2,
    async run(world, random) {
      if (world.town.orders.length === 0) return NOTHING;
      const { orderId, operator } = random.pick(world.town.orders);
      const { euiccs } = world.eum(random);
      const eids = [random.pick(euiccs).eid, random.pick(euiccs).eid];
      const withdrawn = world.withdrawnThroughout();
      const outcome = await world.call(random, operator, ({ services }, caller) =>
        services.eligibility.checkEligibility(caller, { orderId, eids: [...new Set(eids)] }),
      );
      if (outcome.kind === 'answered')
        for (const { eid, refusal } of outcome.value)
          demand(refusal !== undefined || !withdrawn(eid), 'I6', () => `${eid} is called eligible`);
      return outcome.kind;
    },
  },
};
