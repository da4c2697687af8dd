import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import type { PersonalisedEuicc } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, EUM, OPERATOR } from '../../support/deployment.ts';
import { outcomesOf, Request } from '../scenario.ts';

const SECOND = 1_000;
let deployment: Deployment;
/** Milliseconds by which the server's clock was moved. */
let ahead = 0;
const now = () => Date.now() + ahead;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, now });
  const order = deployment.order('ORD-1', 4, ownTemplate());
  await deployment.runtime.services.orders.prepareProfiles(OPERATOR, order);
});
afterAll(() => deployment?.close());

function euicc(validity: { notBefore?: Date; notAfter?: Date }): PersonalisedEuicc {
  const made = deployment.eum.personalise();
  return { ...made, euiccCert: deployment.eum.ca.issueEuicc(made.eid, made.key, validity) };
}

async function register(one: PersonalisedEuicc): Promise<string> {
  const batch = deployment.eum.euiccDataBatch([one], { deviceManufacturers: [DEVICE_MAKER.identifier] });
  const { rejected } = await deployment.runtime.services.ingest.registerEuiccData(EUM, batch);
  return rejected[0]?.code ?? 'accepted';
}

const inSeconds = (seconds: number) => new Date(Math.floor(now() / SECOND) * SECOND + seconds * SECOND);

// the view of what is trusted is loaded once in half a minute; an eUICC may be made and sent within that time
describe('the certificate of an eUICC is looked at by the clock, not by the age of the trust view', () => {
  it('counts from the second in which it begins', async () => {
    expect(await register(euicc({}))).toBe('accepted');
    const early = euicc({ notBefore: inSeconds(8) });
    expect(await register(early)).toBe('euiccCertificateExpired');
    ahead += 8 * SECOND;
    expect(await register(early)).toBe('accepted');
  });

  it('ends for a bind too with the second in which it ends', async () => {
    const [ending, lasting] = [euicc({ notAfter: inSeconds(8) }), euicc({})];
    expect([await register(ending), await register(lasting)]).toEqual(['accepted', 'accepted']);
    ahead += 10 * SECOND;
    const request = new Request('ORD-1', [{ eid: ending.eid }, { eid: lasting.eid }]);
    expect(outcomesOf(await request.send(deployment.runtime))).toEqual(['euiccCertificateExpired', 'bound']);
  });
});

describe('a clock that jumps ahead and back', () => {
  it('leaves no view of trust that counts as fresh until that time comes again', async () => {
    const today = ahead;
    ahead += 60 * 365 * 24 * 3600 * SECOND;
    // the view is loaded at that time, when CI and EUM have ended
    await expect(register(euicc({}))).rejects.toMatchObject({ code: 'eumCertificateExpired' });
    ahead = today;
    const request = euicc({});
    expect(await register(request)).toBe('accepted');
    expect(outcomesOf(await new Request('ORD-1', [{ eid: request.eid }]).send(deployment.runtime))).toEqual([
      'bound',
    ]);
  });

  it('takes no revocation list away, and withholds nothing that is bound (I4, I6)', async () => {
    const { trustAdministration } = deployment.runtime;
    const bound = euicc({});
    expect(await register(bound)).toBe('accepted');
    const request = new Request('ORD-1', [{ eid: bound.eid }]);
    const answer = await request.send(deployment.runtime);
    expect(outcomesOf(answer)).toEqual(['bound']);
    const today = ahead;
    // before the lists of this test were issued, and within the certificates
    ahead -= 30 * SECOND;
    await trustAdministration.setPolicy({ missing: 'refuse', expired: 'refuse' }, 'test');
    expect(await request.fetch(deployment.runtime)).toEqual(answer);
    ahead = today;
  });
});
