import { expect, it } from 'vitest';
import { deliverNotices, sweepOutbox } from '../../../shared/notify/outbox.ts';
import { CallbackCourier } from '../../../shared/service/callbacks/courier.ts';
import { noticeWrite } from '../../../shared/service/reports/notices.ts';
import { Deployment } from '../../support/deployment.ts';
import { meteredLedger } from '../../support/metered-ledger.ts';

it.each([
  { batch: 1, most: { write: 7.5, read: 3.5 } },
  { batch: 100, most: { write: 4.5, read: 1.5 } },
])(
  'a callback on AWS, $batch in a call, costs some units of the ledger, and its share of one signature a day',
  async ({ batch, most }) => {
    const uses: string[] = [];
    const deployment = await Deployment.create({
      memory: true,
      config: { notifier: 'none:' },
      onKeyUse: ({ operation }) => uses.push(operation),
    });
    try {
      const { context } = deployment.runtime;
      const units = { write: 0, read: 0 };
      const ledger = meteredLedger(context.ledger, units);
      const callbacks = 100;
      for (let n = 0; n < callbacks; n++) {
        const write = noticeWrite({
          id: `00c2f1d84e5a6b7c8d9e0f10${String(n).padStart(8, '0')}-1`,
          orderId: 'ORD-1',
          url: 'https://operator.example.com/es2f/callbacks',
          ...(batch > 1 && { batch }),
          caller: '2.999.10',
          record: {
            state: 'Installed',
            iccid: '8933110000000000009',
            eid: '89049032001001234567890123456794',
            // a ProfileInstallationResult has some 200 octets
            result: Buffer.alloc(200, 1),
            at: Date.now(),
          },
        });
        // written with the state change, in its transaction
        await ledger.transact([write]);
      }
      uses.length = 0;
      const queued: (readonly string[])[] = [];
      await sweepOutbox(ledger, async (calls) => void queued.push(...calls), context.now);
      const courier = new CallbackCourier({ ...context, ledger }, async () => '');
      for (const names of queued) await deliverNotices({ ledger, courier, now: context.now }, names);
      expect(queued).toHaveLength(callbacks / batch);
      const each = { write: units.write / callbacks, read: units.read / callbacks };
      // docs/cost.md, "Callbacks"
      expect(each.write).toBeLessThan(most.write);
      expect(each.read).toBeLessThan(most.read);
      expect(uses.filter((use) => use === 'sign')).toHaveLength(1);
      // one key that signs, one client key: made, and none opened for each callback
      expect(uses.filter((use) => use !== 'sign').length).toBeLessThanOrEqual(4);
    } finally {
      await deployment.close();
    }
  },
);
