import { generateKeyPairSync } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { auditPersonalisation } from '../../shared/profile/package/audit.ts';
import { preparePack } from '../../shared/service/order-packs.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { packRecord } from '../../shared/service/records/order.ts';
import { Deployment, OPERATOR } from '../support/deployment.ts';
import { csvOf, secretRows } from '../support/row-sources.ts';
import { MortalProcess, rests } from './mortal.ts';
import { openProfile } from './open-pack.ts';
import { TEMPLATE } from './scenario.ts';

/** Deaths of the process that makes packs; SMDPF_TEST_CRASHES=10000 for a long run. */
const CRASHES = Number(process.env.SMDPF_TEST_CRASHES ?? 200);
const PACK = 3;
/** Store calls of one pack at most, and some beyond, where nobody dies. */
const CALLS = 18;

const output = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let deployment: Deployment;
const orderId = 'CRASH-1';

beforeAll(async () => {
  deployment = await Deployment.create({
    memory: true,
    lanes: 'none',
    config: { packSize: PACK, inlineOrder: 1 },
  });
  const rows = secretRows(CRASHES * PACK).map(({ iccid, imsi }) => ({ iccid: iccid!, imsi: imsi! }));
  const order = deployment.order(orderId, rows.length, TEMPLATE, {
    rows: csvOf(rows),
    personalisation: { format: 'csv', keys: 'generate' },
    outputKey: { ...output.publicKey.export({ format: 'jwk' }) },
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'operational' },
  });
  await deployment.runtime.services.orders.prepareProfiles(OPERATOR, order);
  await deployment.runtime.work.runTask('rows', orderId, 0);
}, 600_000);

afterAll(() => deployment?.close());

it(`the process dies ${CRASHES} times at random points: output rows and packs always agree`, async () => {
  const random = rests(4711);
  let died = 0;
  for (let pack = 0; pack < CRASHES; pack++) {
    const call = 1 + (Math.floor(random() * 1000 + pack * 7) % CALLS);
    const process = await MortalProcess.start(deployment, {
      call,
      when: pack % 2 === 0 ? 'before' : 'after',
    });
    let done = false;
    await process.run(async ({ context }) => {
      await preparePack(context, orderId, pack);
      done = true;
    });
    if (!done) died += 1;
    await preparePack(deployment.runtime.context, orderId, pack);
    await expectAgreement(pack);
  }
  expect(died).toBeGreaterThan(CRASHES / 3);
}, 1_800_000);

/** What the Operator reads out of the output rows is in the packs, and its PPKs open them. */
async function expectAgreement(pack: number): Promise<void> {
  const { services, context } = deployment.runtime;
  const item = await context.ledger.get(ledgerKeys.orderPack(orderId, pack));
  expect(packRecord.from(item!).iccids).toHaveLength(PACK);
  const { jwe } = await services.orders.getOrderOutput(OPERATOR, { orderId, pack });
  const { plaintext } = await compactDecrypt(jwe, output.privateKey);
  const lines = Buffer.from(plaintext).toString().trimEnd().split('\n');
  expect(lines).toHaveLength(PACK);
  for (const [place, line] of lines.entries()) {
    const values = JSON.parse(line) as Record<string, string>;
    const { iccid, upp } = await openProfile(deployment.runtime, orderId, pack * PACK + place);
    expect(values.iccid).toBe(iccid);
    expect(auditPersonalisation(upp, values).filter(({ code }) => code === 'differs')).toEqual([]);
  }
}
