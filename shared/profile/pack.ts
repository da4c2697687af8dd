import type { Bytes } from '../codec/bytes.ts';
import { OctetWriter } from '../codec/octet-writer.ts';
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

const LENGTH = 4;

/**
 * The buffer of a pack that was stored: those of an order come one after the other and are of one size, and a few megabytes
 * that are made anew for each have the whole heap collected every second or third. Nothing in it is secret.
 */
let spare: Buffer | undefined;
const LARGEST_SPARE = 16 * 1024 * 1024;

/** Fills a pack entry by entry, in one buffer that all of them share. */
export class PackWriter {
  #octets: Buffer = Buffer.alloc(0);
  #at = 0;
  readonly #expected: number;
  readonly #offsets = [0];

  /** Entries that are likely to come; more are welcome. */
  constructor(entries: number) {
    this.#expected = entries;
  }

  /** Adds an entry whose '86' segments have so many octets and are written by `segments`; the entry as it stands there. */
  add(metadata: Bytes, length: number, segments: (out: OctetWriter) => void): Bytes {
    const from = this.#at;
    const end = from + LENGTH + metadata.length + length;
    if (end > this.#octets.length) this.#grow(end);
    const entry = this.#octets.subarray(from, end);
    const out = new OctetWriter(entry);
    entry.writeUInt32BE(metadata.length);
    out.skip(LENGTH);
    out.put(metadata);
    segments(out);
    out.finish();
    this.#at = end;
    this.#offsets.push(end);
    return entry;
  }

  /** The object, and the offset of each entry with the end of the last. */
  finish(): { body: Bytes; offsets: number[] } {
    return { body: this.#octets.subarray(0, this.#at), offsets: this.#offsets };
  }

  /** The object is stored, and nobody looks at it any more: the next pack may have its buffer. */
  release(): void {
    if (this.#octets.length > 0 && this.#octets.length <= LARGEST_SPARE) spare = this.#octets;
    this.#octets = Buffer.alloc(0);
    this.#at = 0;
  }

  /** Entries of one order are about as long as the first. */
  #grow(end: number): void {
    const entries = this.#offsets.length;
    const octets = takeSpare(end, Math.ceil((end / entries) * Math.max(entries * 1.5, this.#expected)));
    octets.set(this.#octets.subarray(0, this.#at));
    this.#octets = octets;
  }
}

/** Of at least so many octets, which is given to nobody else; a new one of the wanted length where there is none. */
function takeSpare(least: number, wanted: number): Buffer {
  const found = spare;
  spare = undefined;
  return found !== undefined && found.length >= least ? found : Buffer.allocUnsafeSlow(wanted);
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

export function decodePackEntry(octets: Bytes): PackEntry {
  if (octets.length < 4) throw new Fault('vault', 'a pack entry is cut off');
  const length = new DataView(octets.buffer, octets.byteOffset, 4).getUint32(0);
  if (4 + length >= octets.length) throw new Fault('vault', 'a pack entry is cut off');
  return { metadata: octets.subarray(4, 4 + length), segments: octets.subarray(4 + length) };
}
