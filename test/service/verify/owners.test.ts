import { afterAll, beforeAll, expect, it } from 'vitest';
import { repair } from '../../../shared/service/verify/repair.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare, Request, registered } from '../scenario.ts';
import { findingsOf } from './findings.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterAll(() => deployment?.close());

const findings = () => findingsOf(deployment.runtime);

it('names what attempts wrote whose records a ledger has lost, and removes it (I10)', async () => {
  const { context } = deployment.runtime;
  await prepare(deployment, 'ORD', 4);
  const euiccs = await registered(deployment, 2);
  await new Request(
    'ORD',
    euiccs.map(({ eid }) => ({ eid })),
  ).send(deployment.runtime);
  expect(await findings()).toEqual([]);

  // as a ledger from a backup leaves them: of orders, jobs, batches and grants that it knows nothing of
  const left = [
    'euicc-data/00ff00ff00ff00ff-5b1f',
    'orders/LOST/rows-5b1f',
    'orders/LOST/template-5b1f',
    'orders/LOST/template-5b1f-rows',
    'orders/ORD/template-5b1f',
    'reports/00ff00ff00ff00ff-5b1f',
    'requests/00ff00ff00ff00ff-5b1f',
    'uploads/00ff00ff00ff00ff',
  ];
  for (const name of left) await context.vault.put(name, Buffer.from('left'));
  const found = await findings();
  expect(found.map(({ where, name }) => `${where} ${name}`)).toEqual(left.map((name) => `vault ${name}`));
  for (const finding of found) expect(await repair(context, finding)).toBe(true);
  expect(await findings()).toEqual([]);
});
