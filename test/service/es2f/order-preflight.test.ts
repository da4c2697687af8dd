import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preparePreflight } from '../../../shared/profile/package/preflight.ts';
import type { OrderInput } from '../../../shared/service/api/es2f.ts';
import { DEFAULT_FEATURES, type EuiccFeatures, encodeEuiccInfo2 } from '../../../sim/index.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { refusalOf } from '../../support/refusal.ts';
import { operational, TEMPLATE } from '../scenario.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterAll(() => deployment.close());

const infoOf = (features: Partial<EuiccFeatures> = {}) =>
  encodeEuiccInfo2(
    { ...DEFAULT_FEATURES, profileVersion: '2.3.1', ...features },
    [deployment.eum.ciPkId],
    [deployment.eum.ciPkId],
  );

const without = (name: string) => DEFAULT_FEATURES.uiccCapability.filter((one) => one !== name);

let orders = 0;
const prepare = (expectedEuiccs: readonly Uint8Array[], more: Partial<OrderInput> = {}) =>
  deployment.runtime.services.orders.prepareProfiles(
    OPERATOR,
    deployment.order(`preflight-${orders++}`, 1, TEMPLATE, { expectedEuiccs, ...more }),
  );

describe('an order that says which eUICCs it is meant for', () => {
  it('is taken where its profiles install on all of them', async () => {
    const answer = await prepare([infoOf(), infoOf()]);
    expect(answer.state).toBe('Open');
    expect(answer.warnings?.filter(({ code }) => code === 'preflight')).toEqual([]);
  });

  it.each([
    ['a mandatory service', { uiccCapability: without('milenage') }, /eUICC 2 .*milenage is missing/],
    ['its memory', { freeNonVolatileMemory: 1000 }, /eUICC 2 .*1000 octets are free/],
    ['its version', { profileVersion: '1.0.0' }, /eUICC 2 .*supports 1\.0\.0/],
  ] as const)('is refused where one of them lacks %s, and nothing was made', async (_, features, message) => {
    const refusal = await refusalOf(prepare([infoOf(), infoOf(features as Partial<EuiccFeatures>)]));
    expect(refusal.code).toBe('profileInvalid');
    expect(refusal.message).toMatch(message);
    const orderId = `preflight-${orders - 1}`;
    const status = deployment.runtime.services.orders.getOrderStatus(OPERATOR, { orderId });
    expect((await refusalOf(status)).code).toBe('orderUnknown');
  });

  it('is warned of what may go wrong', async () => {
    const { memory } = preparePreflight(TEMPLATE);
    const { warnings = [] } = await prepare([infoOf({ freeNonVolatileMemory: memory + 1 })]);
    expect(warnings).toContainEqual({
      code: 'preflight',
      message: expect.stringMatching(/^eUICC 1 of expectedEuiccs: \d+ octets are free/),
    });
  });

  it('is judged by the profile as its row makes it, not by the template', async () => {
    const withTuak = DEFAULT_FEATURES.uiccCapability.includes('tuak128');
    expect(withTuak).toBe(true);
    const { order } = operational('890010000000070000');
    const personalisation = { ...order.personalisation!, constants: { algorithm: 'tuak' } };
    const answer = prepare([infoOf({ uiccCapability: without('tuak128') })], {
      ...order,
      personalisation,
    });
    expect((await refusalOf(answer)).message).toMatch(/tuak128 is missing/);
  });

  it('is refused where what it gives is no EuiccInfo2', async () => {
    expect((await refusalOf(prepare([Uint8Array.of(1, 2, 3)]))).code).toMatch(
      /euiccInfoInvalid|protocolFormat/,
    );
  });

  it('is another order with other eUICCs', async () => {
    const more = { orderId: 'preflight-again', personalisation: { iccidStart: '890010000000080000' } };
    await prepare([infoOf()], more);
    await prepare([infoOf()], more);
    const other = prepare([infoOf({ freeNonVolatileMemory: 300_000 })], more);
    expect((await refusalOf(other)).code).toMatch(/Changed/);
  });
});
