import { createHash } from 'node:crypto';
import { type Bytes, equal } from '../../shared/codec/bytes.ts';
import { decodeInteger, decodeUtf8 } from '../coding.ts';
import { type EcPoint, verify } from '../curve.ts';
import { Fields, readAll, readOnly, SimError, tlv, tlvOf } from '../tlv.ts';
import { VERSION } from './fields.ts';

/**
 * The BppBatch (FF62) of a large answer: a BatchManifest (FF65) and the parts it names, each checked by size and
 * SHA-256. The manifest's signature is checked where the delivery key is known.
 */
export function assembleBppBatch(
  manifest: Bytes,
  part: (name: string) => Bytes,
  deliveryKey?: EcPoint,
): Bytes {
  const fields = new Fields(readOnly(manifest, 0xff65).value);
  const version = fields.take(0x80);
  const requestId = fields.take(0x81);
  const chains = fields.take(0xa2);
  const parts = fields.take(0xa3);
  const signature = fields.take(0x84).value;
  fields.end();
  const signed = Buffer.concat([version.raw, requestId.raw, chains.raw, parts.raw]);
  if (deliveryKey !== undefined && !verify(deliveryKey, signed, signature)) {
    throw new SimError('the manifest is not signed by the delivery key');
  }
  const items = readAll(parts.value).map(({ value }) => partItems(value, part));
  return tlv(0xff62, VERSION, requestId.raw, chains.raw, tlvOf(0xa3, items));
}

/** The items of a part that a manifest names like this. */
export function partItems(named: Bytes, part: (name: string) => Bytes): Bytes {
  const entry = new Fields(named);
  const name = decodeUtf8(entry.take(0x80).value);
  const size = decodeInteger(entry.take(0x81).value);
  const sha256 = entry.take(0x82).value;
  const octets = part(name);
  if (octets.length !== size || !equal(createHash('sha256').update(octets).digest(), sha256)) {
    throw new SimError(`part ${name} is not the one of the manifest`);
  }
  return octets;
}

/** The names of the parts of a page (FF68), as they are to be fetched. */
export const partNamesOf = (page: Bytes): readonly string[] =>
  readAll(
    readAll(readOnly(page, 0xff68).value).find(({ tag }) => tag === 0xa4)?.value ?? new Uint8Array(),
  ).map(({ value }) => partNameOf(value));

/** The name of a part as a manifest or a page has it. */
export const partNameOf = (named: Bytes): string => decodeUtf8(new Fields(named).take(0x80).value);
