import { describe, expect, it } from 'vitest';
import { httpRange } from '../../shared/vault/http-range.ts';

describe('HTTP Range (RFC 9110 section 14.1.2)', () => {
  it.each([
    ['bytes=0-499', 10_000, { offset: 0, length: 500 }],
    ['bytes=500-999', 10_000, { offset: 500, length: 500 }],
    ['bytes=-500', 10_000, { offset: 9_500, length: 500 }],
    ['bytes=9500-', 10_000, { offset: 9_500, length: 500 }],
    ['bytes=9500-20000', 10_000, { offset: 9_500, length: 500 }],
    ['bytes=-20000', 10_000, { offset: 0, length: 10_000 }],
    ['Bytes=0-0', 10_000, { offset: 0, length: 1 }],
    ['bytes=10000-', 10_000, 'unsatisfiable'],
    ['bytes=-0', 10_000, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=5-4', 10_000, undefined],
    ['bytes=0-1,5-6', 10_000, undefined],
    ['bytes=-', 10_000, undefined],
    ['bytes=a-b', 10_000, undefined],
    ['items=0-1', 10_000, undefined],
    [undefined, 10_000, undefined],
  ] as const)('%s of %d octets', (header, size, expected) => {
    expect(httpRange(header, size)).toEqual(expected);
  });
});
