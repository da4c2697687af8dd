import { InvalidArgumentError } from 'commander';
import { type Bytes, fromHex } from '../../shared/codec/bytes.ts';

/** Readers of option values for commander; their errors say what the value has to be and do not repeat it. */

/** Hexadecimal of `min` to `max` octets; spaces and colons between octets are allowed. */
export function hexOption(min: number, max = min): (text: string) => Bytes {
  return (text) => {
    const octets = readHex(text.replace(/[\s:]/g, ''));
    if (octets === undefined || octets.length < min || octets.length > max)
      throw new InvalidArgumentError(
        min === max
          ? `It has to be ${min} octets in hexadecimal.`
          : `It has to be ${min} to ${max} octets in hexadecimal.`,
      );
    return octets;
  };
}

function readHex(text: string): Bytes | undefined {
  try {
    return fromHex(text);
  } catch {
    return undefined;
  }
}

/** A decimal number within [min, max]. */
export function wholeOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`It has to be a number from ${min} to ${max}.`);
    return value;
  };
}

/** For options that may be given several times. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}
