import { describe, expect, it } from 'vitest';
import { Refusal } from '../../shared/errors.ts';
import { type Check, integer, list, object, optional, required, text } from '../../shared/gsma/check.ts';
import {
  base64,
  eid,
  httpsUrl,
  iccid,
  id16,
  orderId,
  sha256,
  transferId,
  version3,
} from '../../shared/gsma/fields.ts';

const EID = '89049032001001234567890123456794';

/** The code that a value is refused with, or undefined where it passes. */
function refused(check: Check<unknown>, value: unknown): string | undefined {
  try {
    check(value, 'member');
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

const WRONG_TYPES = [undefined, null, 0, true, {}, [], ['a']];

describe('fields of the JSON binding', () => {
  const rules: [string, Check<unknown>, unknown[], unknown[], string][] = [
    [
      'eid',
      eid,
      [EID],
      [EID.slice(1), `${EID.slice(0, 31)}5`, `${EID} `, EID.replace('8', 'a')],
      'eidMalformed',
    ],
    [
      'iccid',
      iccid,
      ['8933110000000000009', '8933110000000000009F', '89331100000000000090'],
      ['893311000000000000', '8933110000000000009FF', '89331100000000000090F', ''],
      'iccidInvalid',
    ],
    ['id16', id16, ['0A0b', '00'.repeat(16)], ['', '0', '0g', '00'.repeat(17), '0x0a'], 'protocolFormat'],
    ['sha256', sha256, ['aB'.repeat(32)], ['ab'.repeat(31), 'zz'.repeat(32)], 'protocolFormat'],
    [
      'orderId',
      orderId,
      ['ORD-1', 'a'.repeat(64)],
      ['', '-1', 'a/b', 'a b', 'a'.repeat(65), 'é'],
      'protocolFormat',
    ],
    ['transferId', transferId, ['T-5f.0_c~'], ['', '../x', 'a'.repeat(257)], 'protocolFormat'],
    ['version3', version3, ['2.3.0'], ['2.3', '2.3.0.1', 'v2.3.0', '2.3.0000'], 'protocolFormat'],
    [
      'httpsUrl',
      httpsUrl,
      ['https://operator.example.com/es2f?x=1'],
      [
        'http://operator.example.com',
        'https://u:p@example.com',
        'https://a#b',
        'https://',
        'file:///etc/passwd',
      ],
      'protocolFormat',
    ],
    [
      'base64',
      base64,
      ['AA==', 'AAA=', 'AAAA'],
      ['', 'AA', 'AB==', 'AA==\n', 'A-_A', 'AAAA AAAA', '===='],
      'protocolFormat',
    ],
    ['text', text(3), ['a', 'äöü', '😀😀😀'], ['', 'abcd', 'a\n', '\u0000', '\ud800'], 'protocolFormat'],
    ['integer', integer(1, 10), [1, 10], [0, 11, 1.5, '1', Number.NaN, 2 ** 60], 'protocolFormat'],
  ];

  for (const [name, check, good, bad, code] of rules) {
    it(`${name} takes its format and nothing else`, () => {
      for (const value of good) expect(refused(check, value), String(value)).toBeUndefined();
      for (const value of bad) expect(refused(check, value), String(value)).toBe(code);
      for (const value of WRONG_TYPES) {
        if (!good.includes(value) && !(name === 'integer' && value === 1)) {
          expect(refused(check, value), JSON.stringify(value)).toBe(code);
        }
      }
    });
  }

  it('brings identifiers to lower case and 19-digit ICCIDs to digits', () => {
    expect(id16('0A0B', 'x')).toBe('0a0b');
    expect(iccid('8933110000000000009f', 'x')).toBe('8933110000000000009');
  });

  it('an object names what is missing and refuses what is unknown', () => {
    const check = object({
      a: required(integer(0, 1)),
      b: optional(list(integer(0, 9), { min: 1, max: 2 })),
    });
    expect(check({ a: 1 }, '')).toEqual({ a: 1 });
    expect(check({ a: 1, b: [1, 2] }, '')).toEqual({ a: 1, b: [1, 2] });
    expect(refused(check, {})).toBe('mandatoryElementMissing');
    expect(refused(check, { a: 1, c: 1 })).toBe('protocolFormat');
    expect(refused(check, { a: 1, toString: 1 })).toBe('protocolFormat');
    expect(refused(check, { a: 1, b: null })).toBe('protocolFormat');
    expect(refused(check, { a: 1, b: [] })).toBe('protocolFormat');
    expect(refused(check, { a: 1, b: [1, 2, 3] })).toBe('tooLarge');
    expect(() => check({ a: 1, b: [1, 'SECRET'] }, '')).toThrow('b[1] is not an integer from 0 to 9');
    expect(refused(check, Object.create({ a: 1 }))).toBe('mandatoryElementMissing');
  });
});
