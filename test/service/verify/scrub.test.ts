import { afterAll, beforeAll, expect, it } from 'vitest';
import { asRead } from '../../../shared/ledger/change.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { verificationRecord } from '../../../shared/service/records/verification.ts';
import { scrub } from '../../../shared/service/verify/scrub.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare } from '../scenario.ts';

let deployment: Deployment;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
  await prepare(deployment, 'SCRUBBED', 20);
});
afterAll(() => deployment.close());

const record = async () => {
  const item = await deployment.runtime.context.ledger.get(ledgerKeys.verification);
  return verificationRecord.from(item!);
};

/** Rounds until a run is over that begins anew, and what they looked at. */
async function run(): Promise<readonly number[]> {
  const { context } = deployment.runtime;
  const { endedAt } = await record();
  const looked: number[] = [];
  do looked.push((await scrub(context, 1)).looked);
  while ((await record()).endedAt === endedAt);
  return looked;
}

it('a run of verification by itself knows how much there was, and the next one has it done within 720 rounds', async () => {
  const { context } = deployment.runtime;
  await scrub(context, 1_000_000);
  const { things } = await record();
  expect(things).toBeGreaterThan(100);
  const rounds = await run();
  expect(rounds.length).toBeGreaterThan(3);
  const all = rounds.reduce((sum, one) => sum + one, 0);
  expect(await record()).toMatchObject({ things: all, looked: 0, findings: 0 });
  // of a deployment that had a thousand times as many, a round looks at a thousand times as much
  const item = await context.ledger.get(ledgerKeys.verification);
  const large = verificationRecord.to({ ...(await record()), things: 720 * all });
  await context.ledger.write({ put: ledgerKeys.verification, attributes: large, when: asRead(item) });
  expect((await run()).length).toBeLessThan(3);
});
