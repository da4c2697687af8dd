/** How values are shown. Times are in UTC, as everywhere in the server, or in the zone of the browser, as somebody has chosen. */

const ZONE = 'smdpf-zone';
export const ZONES = ['UTC', 'local'] as const;
export type Zone = (typeof ZONES)[number];

/** `Europe/Rome` */
export const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
export const zone = (): Zone => (localStorage.getItem(ZONE) === 'local' ? 'local' : 'UTC');
export const setZone = (chosen: Zone): void => localStorage.setItem(ZONE, chosen);

const numbers = new Intl.NumberFormat('en');
export const number = (value: number | undefined): string =>
  value === undefined ? '–' : numbers.format(value);

/** `2026-11-27 08:30:05 UTC`, or `2026-11-27 09:30:05 GMT+1`. */
export const time = (iso: string | undefined, of: Zone = zone()): string =>
  iso === undefined ? '–' : of === 'UTC' ? `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC` : localTime(iso);

function localTime(iso: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'shortOffset',
  }).formatToParts(new Date(iso));
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find((part) => part.type === type)?.value ?? '';
  const date = `${of('year')}-${of('month')}-${of('day')}`;
  return `${date} ${of('hour')}:${of('minute')}:${of('second')} ${of('timeZoneName')}`;
}

export const day = (iso: string | undefined): string => iso?.slice(0, 10) ?? '–';

/** Milliseconds of the span in words: `3 min ago`, `in 12 days`. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = Math.round((now - Date.parse(iso)) / 1000);
  const size = Math.abs(seconds);
  const [value, unit] =
    size < 90
      ? [size, 's']
      : size < 5_400
        ? [size / 60, 'min']
        : size < 129_600
          ? [size / 3_600, 'h']
          : [size / 86_400, 'days'];
  const text = `${Math.round(value)} ${unit}`;
  return seconds >= 0 ? `${text} ago` : `in ${text}`;
}

/** A long identifier, short enough for a table. */
export const short = (text: string, length = 16): string =>
  text.length <= length ? text : `${text.slice(0, length)}…`;

/** 89049032 00100123 …: EIDs and ICCIDs in groups that people can compare. */
export const grouped = (digits: string): string => digits.replace(/(.{4})(?=.)/g, '$1 ');
