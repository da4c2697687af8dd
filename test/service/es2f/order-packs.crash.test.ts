import { generateKeyPairSync } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { auditPersonalisation } from '../../../shared/profile/package/audit.ts';
import { preparePack } from '../../../shared/service/es2f/order-packs.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { packRecord } from '../../../shared/service/records/order.ts';
import { count } from '../../support/counts.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { csvOf, secretRows } from '../../support/row-sources.ts';
import { MortalProcess } from '../mortal.ts';
import { TEMPLATE } from '../scenario.ts';
import { openProfile } from './open-pack.ts';

/** Deaths of the process that makes packs, each a real one; SMDPF_TEST_CRASHES=10000 makes more of them. */
const CRASHES = Number(process.env.SMDPF_TEST_CRASHES ?? effort({ short: 60, long: 1_000 }));
const PACK = 3;
/** Deaths that befall a pack one after the other at most. */
const IN_A_ROW = 5;
/** A pack dies 3 times in the mean, less what dies after its commit. */
const PACKS = Math.ceil(CRASHES / 2) + IN_A_ROW;

const output = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let deployment: Deployment;
const orderId = 'CRASH-1';

beforeAll(async () => {
  deployment = await Deployment.create({
    memory: true,
    lanes: 'none',
    config: { packSize: PACK, inlineOrder: 1 },
  });
  const rows = secretRows(PACKS * PACK).map(({ iccid, imsi }) => ({ iccid: iccid!, imsi: imsi! }));
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

it(`the process that makes packs dies ${CRASHES} times at random points: output rows and packs always agree`, async () => {
  const random = randomNumbers(4711);
  const calls = await callsOfAPack(0);
  const points = new Set<string>();
  let died = 0;
  let pack = 1;
  for (; pack < PACKS && died < CRASHES; pack++) {
    for (let left = 1 + random(IN_A_ROW); left > 0 && died < CRASHES; left--) {
      const fate = { call: 1 + random(calls), when: random(2) === 0 ? 'before' : 'after' } as const;
      const mortal = await MortalProcess.start(deployment, fate);
      let survived = false;
      await mortal.run(async ({ context }) => {
        await preparePack(context, orderId, pack);
        survived = true;
      });
      // what a death before this one left to do may be less than its call
      if (survived) break;
      died += 1;
      points.add(`${fate.when} ${fate.call}`);
      if (await isCommitted(pack)) await expectAgreement(pack);
    }
    await preparePack(deployment.runtime.context, orderId, pack);
    await expectAgreement(pack);
  }
  expect(died, `deaths in ${pack} packs`).toBe(CRASHES);
  count('crashes', died);
  // every call of a pack was a place to die, before it and after it
  if (CRASHES >= 200) expect(points.size).toBe(2 * calls);
}, 3_600_000);

/** Store calls that a process makes for a pack, counted on one that nothing befalls. */
async function callsOfAPack(pack: number): Promise<number> {
  const mortal = await MortalProcess.start(deployment);
  await mortal.run(({ context }) => preparePack(context, orderId, pack));
  await expectAgreement(pack);
  return mortal.calls;
}

const isCommitted = async (pack: number) =>
  (await deployment.runtime.context.ledger.get(ledgerKeys.orderPack(orderId, pack))) !== undefined;

/** Output rows as they were first read, by pack: they may never be others. */
const firstRead = new Map<number, string>();

/** What the Operator reads out of the output rows is in the packs, and its PPKs open them. */
async function expectAgreement(pack: number): Promise<void> {
  const { services, context } = deployment.runtime;
  const item = await context.ledger.get(ledgerKeys.orderPack(orderId, pack));
  expect(packRecord.from(item!).iccids).toHaveLength(PACK);
  const { jwe } = await services.orders.getOrderOutput(OPERATOR, { orderId, pack });
  if (!firstRead.has(pack)) firstRead.set(pack, jwe);
  expect(jwe === firstRead.get(pack), `pack ${pack} has the rows that were read before`).toBe(true);
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
