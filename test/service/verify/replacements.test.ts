import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { encodeProfileLoadingReport } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, OPERATOR } from '../../support/deployment.ts';
import { MortalProcess } from '../mortal.ts';
import { boundOf, prepare, Request, registered } from '../scenario.ts';
import { findingsOf } from './findings.ts';

let deployment: Deployment;
const ORDER = 'ORD';

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterAll(() => deployment?.close());

const findings = () => findingsOf(deployment.runtime);

it('knows a replacement that was set aside and whose call ended before its profile was made (I11)', async () => {
  const { services, context } = deployment.runtime;
  await prepare(deployment, ORDER, 1);
  const [euicc] = await registered(deployment, 1);
  const [item] = boundOf(await new Request(ORDER, [{ eid: euicc!.eid }]).send(deployment.runtime));
  const { iccid, transactionId } = item!.bound;
  const failed = { fpaError: { transactionId, eid: euicc!.eid, cause: 'damaged' } } as const;
  const report = encodeProfileLoadingReport({ reportId: randomBytes(8), items: [failed] });
  await services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);

  const asked = { orderId: ORDER, iccid };
  const isSetAside = async () =>
    (await context.ledger.get(ledgerKeys.replacement(ORDER, iccid))) !== undefined;
  for (let call = 1; !(await isSetAside()); call++) {
    const process = await MortalProcess.start(deployment, { call, when: 'after' });
    await process.run((runtime) => runtime.services.orders.replaceProfile(OPERATOR, asked));
  }
  const pack = ledgerKeys.orderPack(ORDER, 1);
  expect(await context.ledger.get(pack)).toBeUndefined();
  expect(await findings()).toEqual([]);

  // a repeat makes it; from then on it may not be missing any more
  const replacement = await services.orders.replaceProfile(OPERATOR, asked);
  expect(replacement.eid).toBe(euicc!.eid);
  expect(await findings()).toEqual([]);
  const made = await context.ledger.get(pack);
  await context.ledger.write({ remove: made!, when: { revision: made!.revision } });
  expect((await findings()).map(({ problem }) => problem)).toContain('a pack of an open order is missing');
});
