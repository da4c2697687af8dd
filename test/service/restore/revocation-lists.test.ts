import { afterEach, beforeEach, expect, it } from 'vitest';
import { scanAll } from '../../../shared/ledger/scan.ts';
import { partitions } from '../../../shared/service/records/keys.ts';
import { crlRecord } from '../../../shared/service/records/trust.ts';
import { restoreCrls } from '../../../shared/service/restore/revocation-lists.ts';
import { crlItems } from '../../../shared/service/trust/trust-items.ts';
import { SimCi } from '../../../sim/index.ts';
import { Deployment } from '../../support/deployment.ts';

let deployment: Deployment;
beforeEach(async () => {
  deployment = await Deployment.create({ memory: true });
});
afterEach(() => deployment.close());

const held = async () => crlItems(await scanAll(deployment.runtime.context.ledger, partitions.trust));
const namesHeld = async () => (await held()).map((item) => crlRecord.from(item).object.name);

it('lists that were taken in since the backup are taken in again, the newest of an issuer (I6)', async () => {
  const { runtime, ci } = deployment;
  const { trustAdministration, context } = runtime;
  // enough of them that their order as numbers is another one than as names
  for (const number of [9, 10, 11]) await trustAdministration.addCrl(ci.issueCrl({ number }), [], 'test');
  const before = await namesHeld();
  expect(before).toHaveLength(1);
  await context.ledger.transact(
    (await held()).map((item) => ({ remove: item, when: { revision: item.revision } })),
  );
  expect(await namesHeld()).toEqual([]);

  for (const _ of ['once', 'again']) {
    await restoreCrls(context);
    expect((await namesHeld()).sort()).toEqual(before.sort());
  }
});

it('a list of an issuer that nobody knows stops nothing', async () => {
  const { context } = deployment.runtime;
  const before = await namesHeld();
  const stranger = SimCi.create({ cn: 'Stranger' }).issueCrl({ number: 1 });
  await context.vault.put('crls/stranger', stranger, { lock: true });
  await restoreCrls(context);
  expect(await namesHeld()).toEqual(before);
});
