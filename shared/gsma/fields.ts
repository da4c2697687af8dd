import type { Bytes } from '../codec/bytes.ts';
import { checkEid } from '../codec/eid.ts';
import { checkIccid } from '../codec/iccid.ts';
import { refuse } from '../errors.ts';
import { type Check, pattern } from './check.ts';

/** The simple types of the JSON binding (SGP.22 section 6.5.2 where it has them). */

/** 32 decimal digits with right check digits; refused as 8.1.1/2.1. */
export const eid: Check<string> = (value, path) =>
  typeof value === 'string'
    ? checkEid(value)
    : refuse('eidMalformed', `${path} is not a string of 32 digits`);

/** 32 decimal digits, check digits unseen: for lists, where a wrong EID is refused by itself. */
export const listedEid = pattern(/^[0-9]{32}$/, 'a string of 32 digits');

/** 19 or 20 digits; the F that pads 19 digits to 20 places may be written and is dropped. */
export const iccid: Check<string> = (value, path) =>
  typeof value === 'string'
    ? checkIccid(value.replace(/^([0-9]{19})F$/i, '$1'))
    : refuse('iccidInvalid', `${path} is not a string of 19 or 20 digits`);

/** Id16: 1 to 16 octets. Either case comes in; lower case inside the server. */
export const id16: Check<string> = (value, path) =>
  pattern(/^(?:[0-9a-fA-F]{2}){1,16}$/, '1 to 16 octets as hexadecimal')(value, path).toLowerCase();

/** Identifiers go out in upper case, as SGP.22 writes transactionId. */
export const writeId16 = (hex: string): string => hex.toUpperCase();

/** Date and time in UTC, to the second or finer. */
export const instant: Check<string> = (value, path) => {
  const written = pattern(
    /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,3})?Z$/,
    'a date and time in UTC, such as 2026-11-27T09:00:00Z',
  )(value, path);
  return Number.isNaN(Date.parse(written)) ? refuse('protocolFormat', `${path} is no date`) : written;
};

/** The first eight digits of an EID, which name its EUM. */
export const ein = pattern(/^[0-9]{8}$/, 'the first eight digits of an EID');

/** 64 hexadecimal characters. */
export const sha256: Check<string> = (value, path) =>
  pattern(/^[0-9a-fA-F]{64}$/, 'a SHA-256 as 64 hexadecimal characters')(value, path).toLowerCase();

export const orderId = pattern(
  /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/,
  'an orderId of 1 to 64 letters, digits, dots, colons, dashes and underscores',
);

/** Made by openTransfer; opaque to callers. */
export const transferId = pattern(/^[A-Za-z0-9._~-]{1,256}$/, 'a transferId');

/** Base64 (RFC 4648 section 4) in its one canonical form: padded, no line breaks, unused bits zero, not empty. */
export const base64: Check<Bytes> = (value, path) => {
  if (typeof value !== 'string' || value === '') refuse('protocolFormat', `${path} is not base64`);
  const octets = Buffer.from(value, 'base64');
  if (octets.toString('base64') !== value) refuse('protocolFormat', `${path} is not canonical base64`);
  return octets;
};

export const writeBase64 = (octets: Bytes): string =>
  Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64');

/** "2.3.0", as EuiccInfo2 versions are written. */
export const version3 = pattern(/^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/, 'a version of three numbers');

/** An absolute https URL without user information or fragment. */
export const httpsUrl: Check<string> = (value, path) => {
  if (typeof value === 'string' && value.length <= 2048 && URL.canParse(value)) {
    const url = new URL(value);
    if (url.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '')
      return value;
  }
  return refuse('protocolFormat', `${path} is not an https URL`);
};

/** A compact JWS (RFC 7515 section 7.1) of at most 4,096 characters; what is inside is for whoever reads it. */
export const compactJws = pattern(
  /^(?=.{5,4096}$)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/,
  'a compact JWS (RFC 7515) of at most 4096 characters',
);
