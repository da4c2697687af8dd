import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeIccid } from '../../../shared/codec/iccid.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { iccidOwner, orderStateRecord, packRecord } from '../../../shared/service/records/order.ts';
import { openWorkOf } from '../../../shared/service/records/work.ts';
import { count } from '../../support/counts.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { MortalProcess } from '../mortal.ts';
import { prepare, TEMPLATE } from '../scenario.ts';

let deployment: Deployment;
let numbered = 0;
const STRIDE = effort({ short: 11, long: 1 });

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { packSize: 2 } });
});
afterAll(() => deployment?.close());

const startOf = (series: number) => `8933${String(series).padStart(5, '0')}000000000`;
const iccidAt = (series: number, place: number) =>
  completeIccid(String(BigInt(startOf(series)) + BigInt(place)));
const order = (orderId: string, quantity: number, series: number) =>
  deployment.order(orderId, quantity, TEMPLATE, {
    personalisation: { iccidStart: startOf(series), keys: 'template' },
  });

async function ownerOf(iccid: string): Promise<string | undefined> {
  const item = await deployment.runtime.context.ledger.get(ledgerKeys.iccid(iccid));
  return item && iccidOwner.from(item).orderId;
}

/** An order that was taken, and whose process died before any of its packs was made. */
async function taken(orderId: string, quantity: number, series: number): Promise<void> {
  const { ledger } = deployment.runtime.context;
  for (let call = 1; (await ledger.get(ledgerKeys.order(orderId))) === undefined; call++) {
    const process = await MortalProcess.start(deployment, { call, when: 'after' });
    await process.run(({ services }) =>
      services.orders.prepareProfiles(OPERATOR, order(orderId, quantity, series)),
    );
  }
}

describe('an order that was never taken on', () => {
  it('leaves no ICCID that another order could not have, wherever its process died (I2, I10)', async () => {
    const series = ++numbered;
    await taken('DIED', 2, series);
    for (let place = 0; place < 2; place++) expect(await ownerOf(iccidAt(series, place))).toBeUndefined();
  });

  it('since another one of its name was faster, leaves none either', async () => {
    const series = ++numbered;
    const { orders } = deployment.runtime.services;
    const both = await Promise.allSettled(
      [3, 2].map((quantity) => orders.prepareProfiles(OPERATOR, order('TWICE', quantity, series))),
    );
    const [answer] = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (let place = 0; place < 3; place++)
      expect(await ownerOf(iccidAt(series, place))).toBe(place < answer!.quantity ? 'TWICE' : undefined);
  });
});

describe('an order that is rejected, by its last pack, after two were made', () => {
  it('keeps no PPK and no ICCID, at whatever call its process died (I5, I10)', async () => {
    const { context, work } = deployment.runtime;
    const rejected = async (call: number) => {
      const series = ++numbered;
      const orderId = `REJECTED-${series}`;
      await taken(orderId, 6, series);
      await work.runTask('order', orderId, 0);
      await work.runTask('order', orderId, 1);
      // its sixth ICCID went to another order meanwhile
      const put = ledgerKeys.iccid(iccidAt(series, 5));
      await context.ledger.write({
        put,
        attributes: iccidOwner.to({ orderId: 'OTHER', position: 0 }),
        when: 'absent',
      });
      const when = call % 2 === 0 ? 'before' : 'after';
      const process = await MortalProcess.start(deployment, { call, when });
      await process
        .run((runtime) => runtime.work.runTask('order', orderId, 2))
        .catch((error: unknown) => expect(error).toMatchObject({ code: 'iccidInUse' }));
      count('crashes', 1);
      // as a restart does
      for (const kind of ['order', 'closing'] as const) {
        const open = await context.ledger.get(ledgerKeys.openWork(kind, orderId));
        if (open === undefined) continue;
        for (let task = 0; task < openWorkOf(open).tasks; task++)
          await work.runTask(kind, orderId, task).catch(() => undefined);
        expect(await work.finish(kind, orderId)).toBe(true);
      }
      await expectNothingLeft(orderId, series);
      return process.calls >= call;
    };
    for (let call = 1; await rejected(call); call += STRIDE);
  });

  async function expectNothingLeft(orderId: string, series: number): Promise<void> {
    const { ledger, ppks } = deployment.runtime.context;
    const state = await ledger.get(ledgerKeys.orderState(orderId));
    expect(orderStateRecord.from(state!)).toMatchObject({
      state: 'Rejected',
      reason: { code: 'iccidInUse' },
    });
    for (const kind of ['order', 'closing'] as const)
      expect(await ledger.get(ledgerKeys.openWork(kind, orderId))).toBeUndefined();
    for (let pack = 0; pack < 2; pack++) {
      const { ppks: sealed, dataKey } = packRecord.from(
        (await ledger.get(ledgerKeys.orderPack(orderId, pack)))!,
      );
      expect(await ppks.header(dataKey)).toBeUndefined();
      expect(await ppks.entries(sealed, [0, 1])).toEqual([undefined, undefined]);
    }
    // all but the one that is another's can be ordered again
    const iccids = await prepare(deployment, `AGAIN-${series}`, 5, {
      personalisation: { iccidStart: startOf(series), keys: 'template' },
    });
    expect(iccids).toHaveLength(5);
  }
});
