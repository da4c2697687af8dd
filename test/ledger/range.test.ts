import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterPrefix, compareSort } from '../../shared/ledger/range.ts';

describe('the text after a prefix', () => {
  it.each([
    ['a', 'b'],
    ['pack#', 'pack$'],
    ['\u007f', '\u0080'],
    ['\ud7ff', '\ue000'],
    ['\uffff', '\u{10000}'],
    ['a\u{10ffff}', 'b'],
    ['\u{10ffff}', undefined],
    ['', undefined],
  ])('%j is followed by %j', (prefix, next) => {
    expect(afterPrefix(prefix)).toBe(next);
  });

  it('is above all that has the prefix and not above anything else', () => {
    const text = fc.string({ unit: 'binary', maxLength: 4 });
    fc.assert(
      fc.property(text, text, text, (prefix, rest, other) => {
        const next = afterPrefix(prefix);
        if (next === undefined) return;
        expect(compareSort(prefix + rest, next)).toBeLessThan(0);
        if (compareSort(other, prefix) > 0 && !other.startsWith(prefix)) {
          expect(compareSort(other, next)).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
