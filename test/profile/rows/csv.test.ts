import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { csvRecords, csvRows } from '../../../shared/profile/rows/csv.ts';
import { count } from '../../support/counts.ts';
import { effort } from '../../support/effort.ts';
import { randomNumbers } from '../../support/random-numbers.ts';

const random = randomNumbers(29);
const OPTIONS = { bom: true, skip_empty_lines: true, trim: true, relax_column_count: true } as const;
/** Mostly plain, so that what is not stands somewhere in the middle. */
const PIECES = ['a', '1', '89882', ',', ',', '\n', '\n', 'b7,', '\n\n', '-', '@'];
const PLAIN = /^[!#-~\n]*$/;
const OTHERS = ['"', '\r\n', '\r', ' ', '\t', 'ü', '"a,b"', '"a\nb"', '\u00a0', '\ufeff', '""'];

function file(): Buffer {
  const others = random(3) === 0 ? 0 : 1 + random(12);
  const pieces = Array.from({ length: random(40) }, () =>
    random(12) < others / 4 ? OTHERS[random(OTHERS.length)]! : PIECES[random(PIECES.length)]!,
  );
  return Buffer.from(pieces.join(''));
}

async function* inParts(octets: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < octets.length; ) {
    const end = Math.min(octets.length, at + 1 + random(9));
    yield octets.subarray(at, end);
    at = end;
  }
}

describe('CSV that is cut at its commas and CSV that csv-parse reads are the same', () => {
  it('whole, in parts, and from the end of any record', async () => {
    const files = effort({ short: 400, long: 20_000 });
    count('items', files);
    for (let n = 0; n < files; n++) {
      const octets = file();
      const wanted = expected(octets);
      const found: { values: readonly string[]; end: number }[] = [];
      let refused = false;
      try {
        for await (const records of csvRecords(inParts(octets))) found.push(...records);
      } catch {
        refused = true;
      }
      expect(refused, JSON.stringify(String(octets))).toBe(wanted === undefined);
      if (wanted === undefined) continue;
      expect(
        found.map(({ values }) => values),
        JSON.stringify(String(octets)),
      ).toEqual(wanted);
      if (!PLAIN.test(String(octets))) continue;
      for (const [i, { values, end }] of found.entries()) {
        const columns = values.map((_, column) => `c${column}`);
        const alone = octets.subarray(found[i - 1]?.end ?? 0, end);
        const { rows } = csvRows(alone, 1, columns);
        expect(rows.map((row) => Object.values(row.values))).toEqual([values]);
      }
    }
  });
});

/** Undefined where csv-parse refuses it. */
function expected(octets: Buffer): string[][] | undefined {
  try {
    return parse(octets, OPTIONS) as string[][];
  } catch {
    return undefined;
  }
}
