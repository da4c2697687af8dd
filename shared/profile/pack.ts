import type { Bytes } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';

/**
 * A pack: the protected profiles of consecutive positions of an order in one object, each entry
 * metadataLength(4, big-endian) ‖ StoreMetadataRequest ‖ '86' segments. The offsets stand in the ledger, so that any
 * stretch of positions is one range read. Nothing in a pack is in clear but the metadata, which a BPP shows too.
 */
export interface PackEntry {
  /** StoreMetadataRequest (BF25), whole TLV. */
  readonly metadata: Bytes;
  /** '86' elements, concatenated. */
  readonly segments: Bytes;
}

/** The object and the offset of each entry, with the end of the last. */
export function encodePack(entries: readonly PackEntry[]): { body: Bytes; offsets: number[] } {
  const parts: Bytes[] = [];
  const offsets = [0];
  let at = 0;
  for (const { metadata, segments } of entries) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(metadata.length);
    parts.push(length, metadata, segments);
    at += 4 + metadata.length + segments.length;
    offsets.push(at);
  }
  return { body: Buffer.concat(parts), offsets };
}

export function decodePackEntry(octets: Bytes): PackEntry {
  if (octets.length < 4) throw new Fault('vault', 'a pack entry is cut off');
  const length = new DataView(octets.buffer, octets.byteOffset, 4).getUint32(0);
  if (4 + length >= octets.length) throw new Fault('vault', 'a pack entry is cut off');
  return { metadata: octets.subarray(4, 4 + length), segments: octets.subarray(4 + length) };
}
