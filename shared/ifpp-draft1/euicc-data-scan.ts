import { hash } from 'node:crypto';
import type { Bytes } from '../codec/bytes.ts';
import { OctetStream } from '../codec/octet-stream.ts';
import { MAX_TLV_HEADER, readTlvHeader, type TlvHeader, TlvReader, tagName } from '../codec/tlv.ts';
import { SIGNATURE_LENGTHS } from '../crypto/curves.ts';
import { ONE_TIME_KEY_LENGTHS } from '../crypto/suite.ts';
import { refuse } from '../errors.ts';
import {
  EUICC_DATA_BATCH,
  type EuiccDataHead,
  MAX_KEYS_PER_EUICC,
  readDeviceManufacturers,
  readEuiccDataHead,
} from './euicc-data-batch.ts';
import { LIMITS, read } from './fields.ts';
import { FingerprintSet } from './fingerprint-set.ts';
import { Together } from './message-scan.ts';

/** The fields before the entries are within this many octets: eight certificates and an EuiccInfo2 of full length. */
export const EUICC_DATA_START = 160 * 1024;
/** The fields after the entries. */
const MAX_TAIL = 512 * 1024;
/** More than a certificate, an EuiccInfo2 and the keys of an eUICC take. A slice of entries is in memory at once. */
const MAX_ENTRY = Math.max(
  64 * 1024,
  2 * LIMITS.derTlv + MAX_KEYS_PER_EUICC * (ONE_TIME_KEY_LENGTHS.max + SIGNATURE_LENGTHS.max + 64),
);
/**
 * Slices of a batch: where they lie is kept in one record. Of 500 entries each they are five million, and 1 GiB has room for some two
 * million that have a certificate and a key.
 */
export const MAX_SLICES = 10_000;
/** Entries whose EID came before; a batch with more is no batch. */
const MAX_DUPLICATES = 1_000;

/** Where everything of a batch is that is too large for memory. */
export interface EuiccDataFrame {
  readonly entries: number;
  /** Offset of the first entry of each slice, and of the end of the entries: one more than there are slices. */
  readonly sliceOffsets: readonly number[];
  /** Indexes of entries whose EID an earlier entry has, ascending. */
  readonly duplicates: readonly number[];
  readonly deviceManufacturers: readonly string[] | undefined;
  readonly eumDataSignature: Bytes | undefined;
}

/** Reads the fields before the entries from the first octets of a batch of `size` octets. */
export function readEuiccDataStart(
  octets: Bytes,
  size: number,
): EuiccDataHead & { readonly entriesAt: number } {
  const outer = readTlvHeader(octets);
  if (outer.tag !== EUICC_DATA_BATCH)
    malformed(0, `EuiccDataBatch (FF60) expected but ${tagName(outer.tag)} found`);
  if (outer.headerLength + outer.length !== size)
    malformed(0, `FF60 has ${outer.headerLength + outer.length} octets, the object ${size}`);
  const fields = new TlvReader(octets.subarray(outer.headerLength), 'FF60', outer.headerLength);
  const head = readEuiccDataHead(fields);
  return { ...head, entriesAt: fields.offset };
}

/**
 * Walks a whole batch once with flat memory: frames of the entries and the fields after them. What an entry holds is
 * not looked at but for its EID, of which eight octets of a hash are kept to find those that occur twice. `onSigned`
 * sees the octets that eumDataSignature covers, piece by piece: fields 0..7 as received.
 */
export async function scanEuiccDataBatch(
  octets: AsyncIterable<Bytes>,
  entriesAt: number,
  sliceSize: number,
  onSigned: (piece: Bytes) => void = () => undefined,
): Promise<EuiccDataFrame> {
  let insideFrame = false;
  const stream = new OctetStream(octets, (piece) => {
    if (insideFrame) onSigned(piece);
  });
  stream.take((await header(stream)).headerLength);
  insideFrame = true;
  await stream.skip(entriesAt - stream.offset);
  const list = await header(stream);
  if (list.tag !== ENTRIES) malformed(stream.offset, `entries (A6) expected but ${tagName(list.tag)} found`);
  stream.take(list.headerLength);
  const end = stream.offset + list.length;

  const sliceOffsets: number[] = [];
  const duplicates: number[] = [];
  const eids = new FingerprintSet();
  const room = new Together(sliceSize, MAX_ENTRY);
  let entries = 0;
  for (; stream.offset < end; entries++) {
    if (entries % sliceSize === 0 && sliceOffsets.push(stream.offset) > MAX_SLICES)
      refuse('tooLarge', `the batch has more than ${MAX_SLICES * sliceSize} entries`, {
        offset: stream.offset,
      });
    if (stream.bufferedLength < START_OF_ENTRY) await stream.fill(START_OF_ENTRY);
    const { headerLength, length } = readTlvHeader(stream.buffered, 0, 'FF60/A6', stream.offset);
    if (stream.offset + headerLength + length > end)
      malformed(stream.offset, 'an entry reaches beyond the list of entries');
    // one above the limit is refused by itself when its turn comes
    room.add(entries, stream.offset, stream.offset + headerLength + length);
    const eid = eidOf(stream.buffered, headerLength, length);
    if (eid !== undefined && !eids.add(hash('sha256', eid, 'buffer'))) duplicates.push(entries);
    if (duplicates.length > MAX_DUPLICATES)
      refuse('eidDuplicate', `more than ${MAX_DUPLICATES} EIDs of the batch occur twice`);
    const size = headerLength + length;
    if (stream.bufferedLength >= size) stream.take(size);
    else if ((await stream.skip(size)) > 0) malformed(stream.offset, 'the batch is cut off');
  }
  sliceOffsets.push(end);
  await stream.fill(MAX_TAIL + 1);
  if (stream.bufferedLength > MAX_TAIL)
    refuse('tooLarge', `the fields after the entries exceed ${MAX_TAIL} octets`);
  return { entries, sliceOffsets, duplicates, ...readTail(stream) };
}

const ENTRIES = 0xa6;
/** Header, tag and length of the EID, the EID. */
const START_OF_ENTRY = MAX_TLV_HEADER + 2 + 16;

async function header(stream: OctetStream): Promise<TlvHeader> {
  await stream.fill(MAX_TLV_HEADER);
  return readTlvHeader(stream.buffered, 0, 'FF60', stream.offset);
}

/** The EID of an entry that begins as it should; any other is refused when its turn comes. */
function eidOf(octets: Bytes, at: number, length: number): Bytes | undefined {
  return length >= 18 && octets[at] === 0x80 && octets[at + 1] === 16
    ? octets.subarray(at + 2, at + 18)
    : undefined;
}

function readTail(stream: OctetStream): Pick<EuiccDataFrame, 'deviceManufacturers' | 'eumDataSignature'> {
  const fields = new TlvReader(stream.buffered, 'FF60', stream.offset);
  const deviceManufacturers = readDeviceManufacturers(fields);
  stream.take(fields.offset - stream.offset);
  const eumDataSignature = read.has(fields, 8) ? read.signature(fields, 8, 'eumDataSignature') : undefined;
  fields.end();
  return { deviceManufacturers, eumDataSignature };
}

function malformed(offset: number, what: string): never {
  return refuse('protocolFormat', `${what} at offset ${offset} in FF60`, {
    offset,
    subjectIdentifier: 'FF60',
  });
}
