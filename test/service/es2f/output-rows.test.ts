import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { OutputRows } from '../../../shared/service/es2f/output-rows.ts';

const textOf = (rows: OutputRows) => Buffer.from(rows.octets).toString('utf8');

it('output rows are a line of JSON per profile, with the ICCID that it has and drawn keys in hexadecimal', () => {
  const rows = new OutputRows();
  rows.add({ iccid: '89882110000000001', imsi: '262010000000001', k: Buffer.from('00ff', 'hex') }, '8988');
  rows.add({ iccid: '1', spn: 'Zürich €' }, '2');
  expect(textOf(rows)).toBe(
    '{"iccid":"8988","imsi":"262010000000001","k":"00ff"}\n{"iccid":"2","spn":"Zürich €"}\n',
  );
});

it('output rows of any length are all there, and none of them once they are wiped', () => {
  const rows = new OutputRows();
  const names = Array.from({ length: 600 }, (_, n) => `${n}${'€'.repeat(n)}`);
  const rooms = new Set<ArrayBufferLike>();
  for (const spn of names) {
    rows.add({ spn, k: randomBytes(16) }, '1');
    rooms.add(rows.octets.buffer);
  }
  const lines = textOf(rows).trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { spn: string }).spn)).toEqual(names);
  rows.wipe();
  expect(rows.octets).toHaveLength(0);
  // the rooms that were left for larger ones, too
  expect(rooms.size).toBeGreaterThan(1);
  for (const room of rooms) expect(Buffer.from(room).equals(Buffer.alloc(room.byteLength))).toBe(true);
});
