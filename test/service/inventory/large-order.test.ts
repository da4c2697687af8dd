import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configFile, writeConfig } from '../../../cli/deployment/config-file.ts';
import type { Ledger } from '../../../shared/ledger/ledger.ts';
import { SqliteLedger } from '../../../shared/ledger/sqlite.ts';
import type { OrderDetail } from '../../../shared/service/api/ops.ts';
import { missing, recount } from '../../../shared/service/inventory/recount.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { openWorkRecord } from '../../../shared/service/records/work.ts';
import { runCli } from '../../cli/support/cli.ts';
import { modelStores } from '../../support/aws-model/stores.ts';
import { countingReads, type Reads } from '../../support/counted-reads.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { effort, LONG } from '../../support/effort.ts';
import { type WrittenOrder, writeOrder } from '../../support/written-order.ts';

/** `SMDPF_TEST_ORDER=1000000 npx vitest run test/service/inventory/large-order.test.ts`, in either run. */
const asked = process.env.SMDPF_TEST_ORDER;
const QUANTITY = asked === undefined ? effort({ short: 4_000, long: 1_000_000 }) : Number(asked);
/** A page of an answer has 1,000 profiles at most; what they are found by is some dozens of items beside. */
const READS = { calls: 40, items: 1_250 };
/** Without profiles: state, counts, and what else one order has one of. */
const READS_OF_COUNTS = { calls: 12, items: 60 };
const ORDER_ID = 'LARGE';

const STORES = {
  SQLite: {
    open: async (folder: string): Promise<Ledger> => SqliteLedger.open(join(folder, 'ledger.sqlite')),
    bound: 0.6,
    installed: 0.3,
  },
  // in memory as a whole: the records of the first bound profiles alone
  'a model of DynamoDB': {
    open: async (): Promise<Ledger> => modelStores({ sent: async () => undefined }).ledger,
    bound: 0.03,
    installed: 0.015,
  },
} as const;

describe.each(Object.entries(STORES))(
  `an order of ${QUANTITY} profiles on %s`,
  (name, { open, ...shares }) => {
    const order: WrittenOrder = {
      orderId: ORDER_ID,
      quantity: QUANTITY,
      bound: Math.floor(QUANTITY * shares.bound),
      installed: Math.floor(QUANTITY * shares.installed),
    };
    const counts = {
      Available: QUANTITY - order.bound,
      Delivered: order.bound - order.installed,
      Installed: order.installed,
    };
    let deployment: Deployment;
    let reads: Reads;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'smdpf-large-'));
      const counted = countingReads(await open(folder));
      reads = counted.reads;
      deployment = await Deployment.create({ stores: { ledger: counted.ledger }, lanes: 'none' });
      await writeOrder(counted.ledger, order);
    }, 600_000);
    afterAll(async () => {
      await deployment?.close();
      await rm(folder, { recursive: true, force: true });
    });

    /** What it answers, held to a number of reads, with the time that it took. */
    async function timed<T>(what: string, most: Reads, work: () => Promise<T>): Promise<T> {
      const before = { ...reads };
      const start = performance.now();
      const answer = await work();
      const ms = Math.round(performance.now() - start);
      const read = { calls: reads.calls - before.calls, items: reads.items - before.items };
      if (LONG || asked !== undefined)
        console.log(
          `${name}, ${QUANTITY} profiles: ${what} in ${ms} ms, ${read.items} items in ${read.calls} reads`,
        );
      expect(read.calls, `calls of ${what}`).toBeLessThanOrEqual(most.calls);
      expect(read.items, `items of ${what}`).toBeLessThanOrEqual(most.items);
      return answer;
    }

    it('is told of by getOrderStatus in reads that its size does not matter for, with its counts', async () => {
      const { orders } = deployment.runtime.services;
      const first = await timed('getOrderStatus', READS, () =>
        orders.getOrderStatus(OPERATOR, { orderId: ORDER_ID }),
      );
      expect(first.counts).toEqual(counts);
      expect(first.items).toHaveLength(1_000);
      const last = await timed('its last page', READS, () =>
        orders.getOrderStatus(OPERATOR, { orderId: ORDER_ID, cursor: String(QUANTITY - 700) }),
      );
      expect(last.counts).toEqual(counts);
      expect(last.items).toHaveLength(700);
      expect(last.cursor).toBeUndefined();
    });

    it('is told of by ops.getOrder, which `smdpf order` shows, in some dozens of reads', async () => {
      const { inventory } = deployment.runtime.services;
      const { counts: told, days } = await timed('ops.getOrder', READS_OF_COUNTS, () =>
        inventory.getOrder({ orderId: ORDER_ID }),
      );
      expect(told).toEqual(counts);
      expect(days).toHaveLength(1);
      const { profiles } = await timed('ops.listProfiles', READS, () =>
        inventory.listProfiles({ orderId: ORDER_ID, from: QUANTITY - 1_000, limit: 1_000 }),
      );
      expect(profiles).toHaveLength(1_000);
    });

    // the model looks through all that it has at each query
    it.runIf(name === 'SQLite' || QUANTITY <= 100_000)(
      'has counts that equal a recount',
      async () => {
        const start = performance.now();
        expect(missing(await recount(deployment.runtime.context, ORDER_ID))).toEqual({});
        if (LONG || asked !== undefined)
          console.log(`${name}: recount of ${QUANTITY} in ${Math.round(performance.now() - start)} ms`);
      },
      600_000,
    );

    it.runIf(name === 'SQLite')('is shown by `smdpf order`', async () => {
      const { runtime: config } = {
        runtime: { ...deployment.config, ledger: `sqlite:${join(folder, 'ledger.sqlite')}` },
      };
      writeConfig(configFile(deployment.folder), {
        runtime: config,
        server: { host: '127.0.0.1', port: 0, fieldPort: 0 },
      });
      const start = performance.now();
      const { code, json, stderr, stdout } = await runCli(
        'order',
        ORDER_ID,
        '--folder',
        deployment.folder,
        '--json',
      );
      const ms = Math.round(performance.now() - start);
      expect(stderr + stdout).not.toContain('error');
      expect(code).toBe(0);
      expect(json<OrderDetail>().counts).toEqual(counts);
      if (LONG || asked !== undefined) console.log(`smdpf order of ${QUANTITY} profiles: ${ms} ms`);
    });

    it('is closed in reads that its size does not matter for, and slice by slice after that', async () => {
      const { runtime } = deployment;
      const { closed } = await timed('closeOrder', { calls: 30, items: 250 }, () =>
        runtime.services.orders.closeOrder(OPERATOR, { orderId: ORDER_ID }),
      );
      expect(closed).toBe(QUANTITY - order.bound);
      const open = await runtime.context.ledger.get(ledgerKeys.openWork('closing', ORDER_ID));
      expect(openWorkRecord.from(open!).tasks).toBe(Math.ceil(QUANTITY / 1_000));
      const closing = async () =>
        (await runtime.services.orders.getOrderStatus(OPERATOR, { orderId: ORDER_ID, limit: 1 })).closing;
      const of = Math.ceil(QUANTITY / 1_000);
      expect(await closing()).toEqual({ done: 0, of });
      await timed('a slice of its end', READS, () => runtime.work.runTask('closing', ORDER_ID, 1));
      expect(await runtime.work.finish('closing', ORDER_ID), 'slices are left').toBe(false);
      if (QUANTITY > 10_000) return;
      // each slice may be repeated, in any order, and work that is complete is complete for everybody
      for (const task of [3, 0, 1, 2, 0]) await runtime.work.runTask('closing', ORDER_ID, task);
      expect(await closing()).toEqual({ done: of, of });
      expect((await runtime.services.inventory.getOrder({ orderId: ORDER_ID })).closing).toEqual({
        done: of,
        of,
      });
      for (let n = 0; n < 2; n++) expect(await runtime.work.finish('closing', ORDER_ID)).toBe(true);
      expect(await closing()).toBeUndefined();
      expect(await runtime.context.ledger.get(ledgerKeys.openWork('closing', ORDER_ID))).toBeUndefined();
      expect(await runtime.services.orders.closeOrder(OPERATOR, { orderId: ORDER_ID })).toEqual({ closed });
    });
  },
);
