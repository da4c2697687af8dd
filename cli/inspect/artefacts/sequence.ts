import type { Bytes } from '../../../shared/codec/bytes.ts';
import { readTlv, type Tlv } from '../../../shared/codec/tlv.ts';
import { Refusal } from '../../../shared/errors.ts';

/**
 * Is this a SEQUENCE that begins with these tags, one inside the other? A cut or damaged element is judged by what
 * can be read of it, so that a truncated certificate is refused as a certificate.
 */
export function startsAsSequenceOf(octets: Bytes, ...tags: readonly number[]): boolean {
  let inside = afterHeader(octets);
  for (const tag of tags) {
    const found = inside && peekTag(inside);
    if (found !== tag) return false;
    inside = inside && afterHeader(inside);
  }
  return true;
}

/** The elements that a SEQUENCE begins with, as far as they are whole. */
export function firstElements(octets: Bytes, count: number): Tlv[] {
  const elements: Tlv[] = [];
  const inside = afterHeader(octets) ?? Buffer.alloc(0);
  let at = 0;
  try {
    while (elements.length < count && at < inside.length) {
      const element = readTlv(inside, at);
      elements.push(element);
      at += element.raw.length;
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  return elements;
}

/** Tags of the first elements of what is signed in a certificate, list or request. */
export function tbsTags(octets: Bytes): number[] {
  const [tbs] = firstElements(octets, 1);
  return tbs === undefined ? [] : firstElements(tbs.raw, 4).map(({ tag }) => tag);
}

function peekTag(octets: Bytes): number | undefined {
  const [first, second = 0, third = 0] = octets;
  if (first === undefined || (first & 0x1f) !== 0x1f) return first;
  return second & 0x80 ? (first << 16) | (second << 8) | third : (first << 8) | second;
}

/** What follows tag and length, whether the value is whole or not. */
function afterHeader(octets: Bytes): Bytes | undefined {
  const tag = peekTag(octets);
  if (tag === undefined) return undefined;
  const tagLength = tag > 0xffff ? 3 : tag > 0xff ? 2 : 1;
  const initial = octets[tagLength];
  if (initial === undefined) return undefined;
  return octets.subarray(tagLength + 1 + (initial > 0x80 ? initial & 0x7f : 0));
}
