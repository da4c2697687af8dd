import { describe, expect, it } from 'vitest';
import type { ProfileValues } from '../../../shared/profile/package/parameter.ts';
import { NumberRows } from '../../../shared/profile/rows/number-rows.ts';
import { MOST_OF_A_SLICE } from '../../../shared/service/es2f/order-preparation.ts';
import { type Repeated, RowValues, repeatedIn } from '../../../shared/service/es2f/row-values.ts';
import type { RowSlice } from '../../../shared/service/records/order.ts';
import { secretRows } from '../../support/row-sources.ts';

const SECRET = Buffer.alloc(32, 7);
const COLUMNS = ['iccid', 'imsi', 'k'];

/** What slices of so many rows keep of these. */
function slicesOf(
  rows: readonly ProfileValues[],
  size: number,
  columns = COLUMNS,
  secret = SECRET,
): RowSlice[] {
  const slices: RowSlice[] = [];
  for (let first = 0; first < rows.length; first += size) {
    const values = new RowValues(secret, columns, size);
    for (const [i, row] of rows.slice(first, first + size).entries())
      values.add({ number: first + i + 1, values: row });
    slices.push({ firstRow: first + 1, values: values.encrypted() });
  }
  return slices;
}

/** All repeated values that are first in their slice, gone through in so many shares. */
function repeatedOf(slices: readonly RowSlice[], shares: number): Repeated[] {
  return Array.from({ length: shares }, (_, share) => {
    const seen = new NumberRows(1_000);
    return slices.flatMap((slice) => repeatedIn(slice, seen, [share, shares]) ?? []);
  })
    .flat()
    .sort((a, b) => a.row - b.row);
}

describe('values that must be once in an order', () => {
  it.each([1, 2, 3, 7])('are found again in whichever slice, in %i shares', (shares) => {
    const rows = secretRows(40).map((row) => ({ ...row }));
    rows[13]!.iccid = rows[2]!.iccid!;
    rows[21]!.imsi = rows[12]!.imsi!;
    rows[39]!.k = rows[38]!.k!.toUpperCase();
    expect(repeatedOf(slicesOf(rows, 6), shares)).toEqual([
      { row: 14, earlier: 3, column: 'iccid' },
      { row: 22, earlier: 13, column: 'imsi' },
      { row: 40, earlier: 39, column: 'k' },
    ]);
  });

  it('are none of another column, of another length or where a row has none', () => {
    const digits = '89882990000000001';
    const rows = [
      { iccid: `${digits}0`, imsi: '018', k: 'ab'.repeat(16) },
      { iccid: `${digits}1`, imsi: '18', k: `${digits}0` },
      { iccid: `${digits}2`, imsi: '180', k: 'ab'.repeat(32) },
      { iccid: `${digits}3` },
      { iccid: `${digits}4` },
    ];
    expect(repeatedOf(slicesOf(rows, 2), 1)).toEqual([]);
  });

  it('of a row with an ICCID that is none are not taken down', () => {
    const values = new RowValues(SECRET, COLUMNS, 2);
    const [good, bad] = secretRows(2);
    values.add({ number: 1, values: good! });
    expect(() => values.add({ number: 2, values: { ...bad!, iccid: '12' } })).toThrow('row 2, column iccid');
    for (const octets of Object.values(values.encrypted())) expect(octets).toHaveLength(10);
  });

  it('are other octets under another secret', () => {
    const rows = secretRows(1);
    const [one] = slicesOf(rows, 1);
    const [other] = slicesOf(rows, 1, COLUMNS, Buffer.alloc(32, 8));
    for (const name of COLUMNS) expect(one!.values[name]).not.toEqual(other!.values[name]);
  });

  it('of the largest slice fit into an item of DynamoDB', () => {
    const [slice] = slicesOf(secretRows(50), 50);
    const octets = Object.values(slice!.values).reduce((sum, { length }) => sum + length, 0);
    expect((octets / 50) * MOST_OF_A_SLICE).toBeLessThan(390_000);
  });
});
