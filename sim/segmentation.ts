import type { Bytes } from '../shared/codec/bytes.ts';
import { readAll, readHeader, readTlv, SimError } from './tlv.ts';

const A1_STORE_METADATA = 0xa1;
const A3_LOAD_ELEMENTS = 0xa3;

/**
 * Cuts a BPP into the segments of SGP.22 §2.5.5: BF36 with the whole BF23; A0; tag and length of A1; each 88; A2;
 * tag and length of A3; each 86. The FPA is a courier: where the octets stop making sense it passes the rest on
 * as one segment, for the eUICC to judge.
 */
export function segmentBpp(bpp: Bytes): Bytes[] {
  const segments: Bytes[] = [];
  let offset = 0;
  const pass = (length: number): void => {
    segments.push(bpp.subarray(offset, offset + length));
    offset += length;
  };
  try {
    const outer = readHeader(bpp);
    if (outer.tag !== 0xbf36) throw new SimError('not a BPP');
    pass(outer.headerLength + readTlv(bpp, outer.headerLength).raw.length);
    while (offset < bpp.length) {
      const part = readTlv(bpp, offset);
      if (part.tag === A1_STORE_METADATA || part.tag === A3_LOAD_ELEMENTS) {
        const elements = readAll(part.value);
        pass(part.headerLength);
        for (const element of elements) pass(element.raw.length);
      } else {
        pass(part.raw.length);
      }
    }
  } catch (error) {
    if (!(error instanceof SimError)) throw error;
    if (offset < bpp.length) pass(bpp.length - offset);
  }
  return segments;
}
