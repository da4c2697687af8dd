import type { Bytes } from '../codec/bytes.ts';
import type { Tlv, TlvReader } from '../codec/tlv.ts';

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Time (RFC 5280 section 4.1.2.5) as milliseconds since 1970-01-01T00:00:00Z, from `YYMMDDHHMMSSZ` (1950 to 2049)
 * or `YYYYMMDDHHMMSSZ` (to year 9999; eUICC certificates run for thousands of years). RFC 5280 reserves the second
 * form for 2050 and later; earlier dates in it mean the same and are read too.
 */
export function readTime(reader: TlvReader, name: string): number {
  const element = reader.next(name);
  if (!isTime(element)) reader.refuse(element, `${name} is neither UTCTime nor GeneralizedTime`);
  return timeOf(element) ?? reader.refuse(element, `${name} is not a date and time in UTC to the second`);
}

export function isTime(element: Tlv | undefined): boolean {
  return element?.tag === UTC_TIME || element?.tag === GENERALIZED_TIME;
}

function timeOf({ tag, value }: Tlv): number | undefined {
  const yearDigits = tag === UTC_TIME ? 2 : 4;
  if (value.length !== yearDigits + 11 || value[value.length - 1] !== 0x5a) return undefined;
  for (let i = 0; i < value.length - 1; i++) if (value[i]! < 0x30 || value[i]! > 0x39) return undefined;
  const written = yearDigits === 2 ? pair(value, 0) : pair(value, 0) * 100 + pair(value, 2);
  const year = yearDigits === 4 ? written : written < 50 ? 2000 + written : 1900 + written;
  const month = pair(value, yearDigits);
  const day = pair(value, yearDigits + 2);
  const hour = pair(value, yearDigits + 4);
  const minute = pair(value, yearDigits + 6);
  const second = pair(value, yearDigits + 8);
  // Date.UTC takes years below 100 for the twentieth century
  if (year < 100 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const leapDay = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  if (day > DAYS[month - 1]! + leapDay) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function pair(digits: Bytes, at: number): number {
  return (digits[at]! - 0x30) * 10 + digits[at + 1]! - 0x30;
}
