import { expect, it } from 'vitest';
import { parseRange } from '../../../cli/server/range.ts';

it.each([
  [undefined, undefined],
  ['bytes=0-', { offset: 0, length: 10 }],
  ['bytes=4-', { offset: 4, length: 6 }],
  ['bytes=4-7', { offset: 4, length: 4 }],
  ['bytes=4-100', { offset: 4, length: 6 }],
  ['bytes=-3', { offset: 7, length: 3 }],
  ['bytes=-100', { offset: 0, length: 10 }],
  ['bytes=9-9', { offset: 9, length: 1 }],
  ['Bytes=0-0', { offset: 0, length: 1 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=10-12', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=7-4', undefined],
  ['bytes=0-1,4-5', undefined],
  ['octets=0-1', undefined],
  ['bytes=a-b', undefined],
  ['bytes=-', undefined],
])('the header Range: %s of ten octets asks for %j', (header, expected) => {
  expect(parseRange(header, 10)).toEqual(expected);
});

it('an empty object satisfies no Range header', () => {
  expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
});
