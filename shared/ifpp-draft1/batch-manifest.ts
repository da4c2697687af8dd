import type { Bytes } from '../codec/bytes.ts';
import { readSingle, TlvReader, tlv } from '../codec/tlv.ts';
import { type Chain, encodeChain, readChain } from './chain.ts';
import { LIMITS, read, write } from './fields.ts';
import { TAG } from './tags.ts';

/** BatchManifest (FF65): names and signs the parts of a large answer. */
const BATCH_MANIFEST = TAG.batchManifest;

/** Parts that one manifest or page names. */
export const MAX_PARTS = 100_000;

export interface PartEntry {
  readonly eid: string;
  readonly transactionId: string;
  /** Octets from the start of the part to the BppItem's element. */
  readonly offset: number;
  readonly length: number;
}

export interface Part {
  readonly name: string;
  readonly size: number;
  readonly sha256: Bytes;
  readonly index: readonly PartEntry[];
}

export interface BatchManifest {
  readonly requestId: string;
  readonly chains: readonly Chain[];
  readonly parts: readonly Part[];
}

export interface SignedBatchManifest extends BatchManifest {
  /** Raw r‖s by the delivery key over `signed`. */
  readonly signature: Bytes;
  /** The encoded fields 0..3 as received. */
  readonly signed: Bytes;
}

/** The octets that the delivery key signs. */
export function batchManifestTbs(manifest: BatchManifest): Bytes {
  return Buffer.concat([
    write.version(),
    write.id(1, manifest.requestId),
    write.list(2, manifest.chains.map(encodeChain)),
    write.list(3, manifest.parts.map(encodePart)),
  ]);
}

export function encodeBatchManifest(tbs: Bytes, signature: Bytes): Bytes {
  return tlv(BATCH_MANIFEST, tbs, write.octets(4, signature));
}

export function encodePart(part: Part): Bytes {
  const index = part.index.map((entry) =>
    write.sequence(
      write.eid(0, entry.eid),
      write.id(1, entry.transactionId),
      write.integer(2, entry.offset),
      write.integer(3, entry.length),
    ),
  );
  return write.sequence(
    write.text(0, part.name),
    write.integer(1, part.size),
    write.octets(2, part.sha256),
    write.list(3, index),
  );
}

export function decodeBatchManifest(der: Bytes): SignedBatchManifest {
  const fields = TlvReader.of(readSingle(der, BATCH_MANIFEST, 'BatchManifest'));
  read.version(fields);
  const requestId = read.id(fields, 1, 'requestId');
  const chains = read.list(fields, 2, 'chains', LIMITS.chains, readChain);
  const parts = read.list(fields, 3, 'parts', MAX_PARTS, readPart);
  const signed = fields.readSoFar;
  const signature = read.signature(fields, 4, 'signature');
  fields.end();
  return { requestId, chains, parts, signature, signed };
}

export function readPart(list: TlvReader): Part {
  const fields = list.enter(0x30, 'Part');
  const part = {
    name: read.text(fields, 0, 'name'),
    size: read.integer(fields, 1, 'size'),
    sha256: read.octets(fields, 2, 'sha256', 32),
    index: read.list(fields, 3, 'index', 100_000, (entries) => {
      const entry = entries.enter(0x30, 'Entry');
      const value = {
        eid: read.eid(entry, 0, 'eid'),
        transactionId: read.id(entry, 1, 'transactionId'),
        offset: read.integer(entry, 2, 'offset'),
        length: read.integer(entry, 3, 'length'),
      };
      entry.end();
      return value;
    }),
  };
  fields.end();
  return part;
}
