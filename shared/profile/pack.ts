import { createHash } from 'node:crypto';
import type { Bytes } from '../codec/bytes.ts';
import { readTlvHeader } from '../codec/tlv.ts';
import { Fault } from '../errors.ts';

const SEGMENT_TAG = 0x86;

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
    parts.push(lengthOf(metadata), metadata, segments);
    at += 4 + metadata.length + segments.length;
    offsets.push(at);
  }
  return { body: Buffer.concat(parts), offsets };
}

/** Every entry, found by walking the object: for packs whose offsets are lost. */
export function decodePack(body: Bytes): { entries: PackEntry[]; offsets: number[] } {
  const entries: PackEntry[] = [];
  const offsets = [0];
  for (let at = 0; at < body.length; ) {
    const rest = body.subarray(at);
    if (rest.length < 4) throw new Fault('vault', 'a pack entry is cut off');
    let end = 4 + new DataView(rest.buffer, rest.byteOffset, 4).getUint32(0);
    // StoreMetadata, then '86' elements: the next entry begins with a length, whose first octet is zero
    while (end < rest.length && rest[end] === SEGMENT_TAG) {
      const { headerLength, length } = readTlvHeader(rest, end);
      end += headerLength + length;
    }
    entries.push(decodePackEntry(rest.subarray(0, end)));
    at += end;
    offsets.push(at);
  }
  return { entries, offsets };
}

/** SHA-256 of an entry as it stands in its pack. */
export function packEntryHash({ metadata, segments }: PackEntry): Bytes {
  return createHash('sha256').update(lengthOf(metadata)).update(metadata).update(segments).digest();
}

function lengthOf(metadata: Bytes): Bytes {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(metadata.length);
  return length;
}

export function decodePackEntry(octets: Bytes): PackEntry {
  if (octets.length < 4) throw new Fault('vault', 'a pack entry is cut off');
  const length = new DataView(octets.buffer, octets.byteOffset, 4).getUint32(0);
  if (4 + length >= octets.length) throw new Fault('vault', 'a pack entry is cut off');
  return { metadata: octets.subarray(4, 4 + length), segments: octets.subarray(4 + length) };
}
