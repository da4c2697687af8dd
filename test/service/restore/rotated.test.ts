import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { planRestore, restore } from '../../../shared/service/restore/restore.ts';
import { Deployment } from '../../support/deployment.ts';
import { outcomesOf, prepare, Request, registered } from '../scenario.ts';
import { findingsOf } from '../verify/findings.ts';
import { backUp, putBack } from './backup.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.create({ config: { packSize: 2 } });
});
afterAll(() => deployment?.close());

it('binds on from packs whose data keys were moved to another wrapping key since the backup (I9, I10)', async () => {
  await prepare(deployment, 'OLD', 4);
  const euiccs = await registered(deployment, 4);
  await deployment.runtime.audit.chain();
  await backUp(deployment);

  await prepare(deployment, 'NEW', 4);
  const uri = `softkey:path=${join(deployment.folder, 'wrapping-next.key')}`;
  await deployment.runtime.keys.generate(uri, 'aes-256', 'wrapping');
  await deployment.runtime.context.keyAssignments.assign('wrapping', uri, 'test');
  expect((await deployment.runtime.wrappingRotation.rewrap()).moved).toBeGreaterThan(0);
  await deployment.runtime.audit.chain();
  await deployment.runtime.audit.archive();
  await putBack(deployment);

  const { unguarded, standing } = deployment.runtime;
  await standing.freeze('test');
  // the key of the backup's time was destroyed since: templates are under it as they were at first, that of NEW once it is back
  const keyUri = deployment.config.keys.wrapping;
  await rm(keyUri.slice('softkey:path='.length));
  const lost = (dataKeys: number) => [{ keyUri, dataKeys, why: expect.stringContaining('wrapping.key') }];
  expect((await planRestore(unguarded, standing)).lostKeys).toEqual(lost(1));
  const { orders, positions, lostKeys } = await restore(unguarded, standing);
  expect(lostKeys).toEqual(lost(2));
  expect(orders.closed).toEqual([]);
  expect(positions.closed).toBe(0);
  for (const [i, orderId] of ['OLD', 'NEW'].entries()) {
    const two = euiccs.slice(2 * i, 2 * i + 2).map(({ eid }) => ({ eid }));
    const answer = await new Request(orderId, two).send(deployment.runtime);
    expect(outcomesOf(answer)).toHaveLength(2);
    expect(answer.failed).toEqual([]);
  }
  expect(await findingsOf({ unguarded })).toEqual([]);
});
