import { expect, it } from 'vitest';
import { encodeProfileLoadingReport as encodeReport } from '../../shared/ifpp-draft1/profile-loading-report.ts';
import { completeEid, encodeBppRequest } from '../../sim/index.ts';

/** More than V8 takes for arguments of one call. */
const MANY = 130_000;
const eid = completeEid('890490320012345678901234567890');

it('a request has room for 130,000 items', () => {
  const requestId = Buffer.from('01', 'hex');
  const items = new Array<{ itemId: number; eid: string }>(MANY).fill({ itemId: 1, eid });
  expect(encodeBppRequest({ requestId, orderId: 'ORD-1', items }).length).toBeGreaterThan(20 * MANY);
});

it('so has a report that is merged of several', () => {
  const item = Buffer.from('a000', 'hex');
  expect(encodeReport('01', new Array<Buffer>(MANY).fill(item)).length).toBeGreaterThan(2 * MANY);
});
