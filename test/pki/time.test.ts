import { expect, test } from 'vitest';
import { TlvReader, tlv } from '../../shared/codec/tlv.ts';
import { readTime } from '../../shared/pki/time.ts';
import { verdict } from './verdict.ts';

const UTC = 0x17;
const GENERALIZED = 0x18;
const read = (tag: number, text: string): number =>
  readTime(new TlvReader(tlv(tag, Buffer.from(text))), 'time');

test.each([
  [UTC, '500101000000Z', '1950-01-01T00:00:00.000Z'],
  [UTC, '991231235959Z', '1999-12-31T23:59:59.000Z'],
  [UTC, '000229120000Z', '2000-02-29T12:00:00.000Z'],
  [UTC, '491231235959Z', '2049-12-31T23:59:59.000Z'],
  [GENERALIZED, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
  [GENERALIZED, '74960124000000Z', '7496-01-24T00:00:00.000Z'],
  [GENERALIZED, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
])('the ASN.1 time %i %s is %s', (tag, text, expected) => {
  expect(new Date(read(tag, text)).toISOString()).toBe(expected);
});

test.each([
  ['a month of zero', UTC, '260001000000Z'],
  ['a thirteenth month', UTC, '261301000000Z'],
  ['a day of zero', UTC, '260100000000Z'],
  ['31 April', UTC, '260431000000Z'],
  ['29 February outside a leap year', GENERALIZED, '21000229000000Z'],
  ['hour 24', UTC, '260101240000Z'],
  ['minute 60', UTC, '260101006000Z'],
  ['a leap second', UTC, '261231235960Z'],
  ['no seconds', UTC, '2601010000Z'],
  ['an offset', UTC, '260101000000+0000'],
  ['fractions', GENERALIZED, '20260101000000.5Z'],
  ['no zone', GENERALIZED, '20260101000000'],
  ['four-digit year in UTCTime', UTC, '20260101000000Z'],
  ['two-digit year in GeneralizedTime', GENERALIZED, '260101000000Z'],
  ['letters', UTC, '26010100000aZ'],
  ['another type', 0x0c, '260101000000Z'],
  ['nothing', UTC, ''],
])('the ASN.1 time %s is refused', (_, tag, text) => {
  expect(verdict(() => read(tag, text))).toBe('protocolFormat');
});
