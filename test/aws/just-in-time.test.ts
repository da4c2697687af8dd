import { describe, expect, it } from 'vitest';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { outcomesOf, Request, registered } from '../service/scenario.ts';
import { awsSkipReason } from '../support/aws.ts';
import { DEVICE_MAKER, Deployment, OPERATOR } from '../support/deployment.ts';
import { Bill, countedStores } from './counted-stores.ts';
import { justInTimeDollars } from './prices.ts';

/** Two lanes' worth, so that the laying of a lane is counted with what it serves. */
const CALLS = 32;
const MAX = { calls: 14, writeUnits: 20, dollars: 42 };
describe.skipIf(awsSkipReason !== '')(`binding just in time on AWS${awsSkipReason}`, () => {
  it.each([
    { of: 'an order', more: {} },
    { of: 'a share of an order', more: { shares: { [DEVICE_MAKER.identifier]: 100 } } },
  ])(
    `takes at most ${MAX.calls} calls, ${MAX.writeUnits} write units, US$ ${MAX.dollars} a million, out of $of`,
    async ({ of, more }) => {
      const bill = new Bill();
      const stores = await countedStores(bill);
      let signs = 0;
      let unwraps = 0;
      const deployment = await Deployment.create({
        stores,
        lanes: 'inline',
        onKeyUse: ({ operation }) => {
          if (operation === 'sign') signs += 1;
          else unwraps += 1;
        },
      });
      try {
        const personalisation = { iccidStart: '890010000000000000', keys: 'template' as const };
        const order = deployment.order('TIMED', 100, ownTemplate(), { personalisation, ...more });
        await deployment.runtime.services.orders.prepareProfiles(OPERATOR, order);
        const euiccs = await registered(deployment, CALLS + 1);
        const { services } = deployment.runtime;
        await services.parties.add(
          DEVICE_MAKER.fingerprint,
          { identifier: DEVICE_MAKER.identifier, role: 'deviceMaker', name: 'maker' },
          'test',
        );
        const hour = 3_600_000;
        const certificate = {
          fingerprint: DEVICE_MAKER.fingerprint,
          notBeforeMs: Date.now() - hour,
          notAfterMs: Date.now() + hour,
        };
        // as the function binding does: who calls, and then the call
        const call = async (eid: string) => {
          const by = await services.parties.identify(certificate);
          return await new Request('TIMED', [{ eid }], { by }).send(deployment.runtime);
        };
        await call(euiccs[CALLS]!.eid);
        bill.take();
        [signs, unwraps] = [0, 0];
        for (const { eid } of euiccs.slice(0, CALLS)) expect(outcomesOf(await call(eid))).toEqual(['bound']);
        const counted = bill.take();

        const each = (count: number) => count / CALLS;
        const calls = each([...counted.calls.values()].reduce((sum, count) => sum + count, signs));
        const writeUnits = each(counted.ledgerWriteUnits + counted.ppkWriteUnits);
        const dollars = justInTimeDollars(counted, { signs, unwraps }, CALLS);
        const lines = [...counted.calls]
          .sort()
          .map(([name, count]) => `${name.padEnd(40)} ${each(count).toFixed(2)}`);
        console.log(
          [
            ...lines,
            `${'Sign'.padEnd(40)} ${each(signs).toFixed(2)}`,
            `${of}: calls ${calls.toFixed(2)}, write units ${writeUnits.toFixed(2)} (PPK table ${each(counted.ppkWriteUnits).toFixed(2)}), read units ${each(counted.readUnits).toFixed(2)}`,
            `a million: $${dollars.stores.toFixed(2)} for KMS, DynamoDB and S3; apart from them Lambda $${dollars.lambda.toFixed(2)} and API Gateway $${dollars.api.toFixed(2)}`,
          ].join('\n'),
        );
        expect(signs).toBe(CALLS);
        expect(calls).toBeLessThanOrEqual(MAX.calls);
        expect(writeUnits).toBeLessThanOrEqual(MAX.writeUnits);
        expect(dollars.stores).toBeLessThanOrEqual(MAX.dollars);
      } finally {
        await deployment.close();
      }
    },
  );
});
