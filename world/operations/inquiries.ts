import { MAKERS } from '../cast.ts';
import { demand } from '../checker/violation.ts';
import { NOTHING, type Operation } from './operation.ts';

/** What parties ask, beside the state of an order: reports, rows, keys, statements, the audit log. */
export const INQUIRIES: Readonly<Record<string, Operation>> = {
  getOrderReport: {
    weight: 1,
    async run(world, random) {
      if (world.town.orders.length === 0) return NOTHING;
      const { orderId, operator } = random.pick(world.town.orders);
      const outcome = await world.call(random, operator, ({ services }, by) =>
        services.orders.getOrderReport(by, { orderId }),
      );
      return outcome.kind === 'refused' ? `refused ${outcome.code}` : outcome.kind;
    },
  },
  /** Rows that an Operator has read once never change (I4): its HSS has them. */
  getOrderOutput: {
    weight: 2,
    async run(world, random) {
      const { orders, rows } = world.town;
      if (orders.length === 0) return NOTHING;
      const { orderId, operator, quantity } = random.pick(orders);
      const pack = random.below(Math.ceil(quantity / world.config.packSize!));
      const outcome = await world.call(random, operator, ({ services }, by) =>
        services.orders.getOrderOutput(by, { orderId, pack }),
      );
      if (outcome.kind !== 'answered')
        return outcome.kind === 'refused' ? `refused ${outcome.code}` : outcome.kind;
      const name = `${orderId}/${pack}`;
      const known = rows.get(name);
      demand(
        known === undefined || known === outcome.value.jwe,
        'I4',
        () => `the rows of ${name} have changed`,
      );
      rows.note(name, outcome.value.jwe, world.stores.ledger.changes);
      return outcome.kind;
    },
  },
  getServerKeys: {
    weight: 0.5,
    run: async (world, random) =>
      (await world.act(random, ({ services }) => services.orders.getServerKeys({ role: 'operator' }))).kind,
  },
  getDeletionStatement: {
    weight: 1,
    async run(world, random) {
      const { euiccs } = world.eum(random);
      const eids = [random.pick(euiccs).eid, random.pick(euiccs).eid];
      const outcome = await world.call(random, random.pick(MAKERS), ({ services }, by) =>
        services.statements.getDeletionStatement(by, { eids }),
      );
      return outcome.kind;
    },
  },
  getAuditLines: {
    weight: 1,
    async run(world, random) {
      const outcome = await world.act(random, ({ services }) =>
        services.audit.getAuditLines({ from: 1 + random.below(50), limit: 20 }),
      );
      if (outcome.kind !== 'answered') return outcome.kind;
      for (const { sequence, hash } of outcome.value.lines)
        demand(
          world.checker.audit.isAsTold(sequence, hash),
          'I8',
          () => `line ${sequence} of the audit log is another one than before`,
        );
      return outcome.kind;
    },
  },
};
