import { expect, it } from 'vitest';
import { encodeProfileLoadingReport as encodeReport } from '../../shared/ifpp-draft1/profile-loading-report.ts';
import { completeEid, encodeBppRequest, encodeEidItems, encodeRequestItem } from '../../sim/index.ts';

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

it('items of EIDs together are the same as each by itself, also where their numbers become an octet longer', () => {
  const eids = [eid, completeEid('0'.repeat(30)), completeEid('9'.repeat(30))];
  for (const first of [1, 126, 127, 128, 32_766, 32_767, 8_388_606, 8_388_607, 2 ** 31 - 2]) {
    const each = eids.map((one, i) => encodeRequestItem({ itemId: first + i, eid: one }));
    expect(Buffer.from(encodeEidItems(first, eids)).toString('hex')).toBe(
      Buffer.concat(each).toString('hex'),
    );
  }
  expect(() => encodeEidItems(1, [`${eid.slice(0, 31)}x`])).toThrow('is not an EID');
});
