import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { refusalOf } from '../../support/refusal.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
  const order = deployment.order('ORD-1', 2, ownTemplate(), { eligibility: { minProfileVersion: '3.2.0' } });
  await deployment.runtime.services.orders.prepareProfiles(OPERATOR, order);
});
afterAll(() => deployment?.close());

const check = (eids: readonly string[], by = OPERATOR) =>
  deployment.runtime.services.eligibility.checkEligibility(by, { orderId: 'ORD-1', eids });

it('checkEligibility answers for each EID by the rules of the bind, and spends nothing', {
  tags: ['DPFF09'],
}, async () => {
  const { eum } = deployment;
  const [good, old, foreign, unknown] = [
    eum.personalise(),
    eum.personalise({ features: { profileVersion: '2.3.1' } }),
    eum.personalise(),
    eum.personalise(),
  ];
  const { ingest } = deployment.runtime.services;
  const register = (euiccs: Parameters<typeof eum.euiccDataBatch>[0], maker: string) =>
    ingest.registerEuiccData(EUM, eum.euiccDataBatch(euiccs, { deviceManufacturers: [maker] }));
  await register([good, old], DEVICE_MAKER.identifier);
  await register([foreign], '2.999.51');
  const before = await deployment.runtime.context.ledger.get(ledgerKeys.euicc(good.eid));
  const verdicts = await check([good.eid, old.eid, foreign.eid, unknown.eid, '12']);
  expect(verdicts.map(({ refusal }) => refusal?.code)).toEqual([
    undefined,
    'notEligible',
    'eidBoundElsewhere',
    'eidUnknown',
    'eidMalformed',
  ]);
  expect(verdicts[1]!.refusal!.message).toMatch(/minProfileVersion: 3\.2\.0 .* 2\.3\.1/);
  expect(await deployment.runtime.context.ledger.get(ledgerKeys.euicc(good.eid))).toEqual(before);
});

it('checkEligibility is refused for an order of somebody else', async () => {
  const refusal = await refusalOf(check([], { ...OPERATOR, identifier: '2.999.61' }));
  expect(refusal).toMatchObject({ code: 'orderUnknown' });
});
