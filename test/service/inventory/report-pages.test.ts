import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { encodeProfileLoadingReport } from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment } from '../../support/deployment.ts';

/*
 * A report with bad items is read page by page, whether it was verified within its call or in slices after it: nobody has to
 * take all of it at once, and nothing is told twice or left out.
 */

const ITEMS = 7;

describe.each([
  ['within its call', 1_000],
  ['in slices after it', 2],
])('a report that is verified %s', (_, inlineReport) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await Deployment.create({ memory: true, config: { inlineReport } });
  });
  afterAll(() => deployment.close());

  it('tells its bad items page by page', async () => {
    const { services } = deployment.runtime;
    const items = Array.from({ length: ITEMS }, () => ({
      fpaError: { transactionId: randomBytes(16), eid: '8'.repeat(32), cause: 'damaged' as const },
    }));
    const reportId = randomBytes(8);
    const report = encodeProfileLoadingReport({ reportId, items });
    const { state } = await services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    expect(state).toBe(inlineReport < ITEMS ? 'Pending' : 'Done');
    const named = { party: DEVICE_MAKER.identifier, reportId: reportId.toString('hex') };
    const done = async () => expect((await services.inventory.getReport(named)).state).toBe('Done');
    await vi.waitFor(done, { timeout: 30_000, interval: 50 });
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await services.inventory.getReport({ ...named, limit: 3, ...(cursor && { cursor }) });
      expect(page.rejectedItems.length).toBeLessThanOrEqual(3);
      expect(page.rejected).toBe(ITEMS);
      seen.push(...page.rejectedItems.map(({ itemIndex }) => itemIndex));
      for (const one of page.rejectedItems) expect(one).toMatchObject({ code: 'transactionUnknown' });
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(seen).toEqual(Array.from({ length: ITEMS }, (__, i) => i));
  });
});
