import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import type { Finding } from '../../../shared/service/verify/finding.ts';
import { verifyOrders } from '../../../shared/service/verify/orders.ts';
import { Deployment, OPERATOR } from '../../support/deployment.ts';

/** 125 packs of two, where a slice has 100. */
const [FIRST, SECOND] = ['ORD-1', 'ORD-2'];
const CUT = `${FIRST}\n100`;

describe('the verification of orders goes on within an order that is longer than a slice', {
  tags: ['I11'],
}, () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await Deployment.create({ lanes: 'inline', config: { packSize: 2 } });
    const { orders } = deployment.runtime.services;
    await orders.prepareProfiles(OPERATOR, deployment.order(FIRST, 250, ownTemplate()));
    await orders.prepareProfiles(OPERATOR, deployment.order(SECOND, 4, ownTemplate()));
  }, 120_000);
  afterAll(() => deployment?.close());

  async function from(after: string) {
    const slices: { readonly cursor: string | undefined; readonly looked: number }[] = [];
    const found: (Finding & { readonly in: string | undefined })[] = [];
    for await (const { cursor, looked, findings } of verifyOrders(deployment.runtime.unguarded, after)) {
      slices.push({ cursor, looked });
      found.push(...findings.map((finding) => ({ ...finding, in: cursor })));
    }
    return { slices, found };
  }
  const first = { cursor: CUT, looked: 0 };
  const rest = { cursor: FIRST, looked: 1 };
  const other = { cursor: SECOND, looked: 1 };

  it('each order is one, whatever its slices, and a run may begin at any of them', async () => {
    expect(await from('')).toEqual({ slices: [first, rest, other], found: [] });
    expect(await from(CUT)).toEqual({ slices: [rest, other], found: [] });
    expect(await from(FIRST)).toEqual({ slices: [other], found: [] });
    expect(await from(SECOND)).toEqual({ slices: [], found: [] });
  });

  it('what is wrong is found by the slice that has it, once', async () => {
    const { ledger } = deployment.runtime.unguarded;
    for (const pack of [7, 110]) {
      const key = ledgerKeys.orderPack(FIRST, pack);
      await ledger.write({ remove: key, when: { revision: (await ledger.get(key))!.revision } });
    }
    const { found } = await from('');
    expect(found.map((finding) => [finding.in, finding.name])).toMatchObject([
      [CUT, expect.stringContaining('pack#')],
      [FIRST, expect.stringContaining('pack#')],
    ]);
    expect((await from(CUT)).found).toHaveLength(1);
  });
});
