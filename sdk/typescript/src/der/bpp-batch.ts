import { createHash } from 'node:crypto';
import type { BaseBlock } from 'asn1js';
import { decodeEid, decodeIccid } from './identifiers.ts';
import { type Chain, type Part, readChain, readPart } from './parts.ts';
import { type Curve, verify } from './signing.ts';
import {
  children,
  constructed,
  content,
  DerError,
  derTlv,
  encode,
  Fields,
  type Octets,
  primitive,
  privateObject,
  readInteger,
  readPrivate,
  readSeries,
  readText,
  toHex,
} from './tlv.ts';

export interface Bound {
  readonly transactionId: Octets;
  readonly keyId: Octets;
  readonly iccid: string;
  /** Index into the chains. */
  readonly chain: number;
  /** BoundProfilePackage (BF36). */
  readonly bpp: Octets;
}

export interface Failed {
  readonly subjectCode: string;
  readonly reasonCode: string;
  readonly message?: string;
}

export interface BppItem {
  readonly itemId: number;
  readonly eid: string;
  readonly outcome: { readonly bound: Bound } | { readonly failed: Failed };
}

export interface BppBatch {
  readonly requestId: string;
  readonly chains: readonly Chain[];
  readonly items: readonly BppItem[];
}

export interface BatchManifest {
  readonly requestId: string;
  readonly chains: readonly Chain[];
  readonly parts: readonly Part[];
  readonly signature: Octets;
  /** The encoded fields 0 to 3, over which the signature is. */
  readonly signed: Octets;
}

/** Reads a BppBatch (FF62), items and chains. */
export function decodeBppBatch(der: Octets): BppBatch {
  const fields = readPrivate(der, 98, 'BppBatch');
  fields.take(0);
  const requestId = toHex(content(fields.take(1)));
  const chains = children(fields.take(2), 'chains').map(readChain);
  const items = children(fields.take(3), 'items').map(readItem);
  fields.end();
  return { requestId, chains, items };
}

/** Reads a BatchManifest (FF65). Hold its signature against the delivery keys before its parts are used. */
export function decodeBatchManifest(der: Octets): BatchManifest {
  const fields = readPrivate(der, 101, 'BatchManifest');
  const version = fields.take(0);
  const id = fields.take(1);
  const chains = fields.take(2);
  const parts = fields.take(3);
  const signature = content(fields.take(4));
  fields.end();
  return {
    requestId: toHex(content(id)),
    chains: children(chains, 'chains').map(readChain),
    parts: children(parts, 'parts').map(readPart),
    signature,
    signed: Buffer.concat([version, id, chains, parts].map(encode)),
  };
}

/** Whether one of the points (04 ‖ X ‖ Y) of `getServerKeys`, the key in use first, has signed the manifest. */
export const verifyManifest = (
  manifest: BatchManifest,
  points: readonly Octets[],
  curve: Curve = 'p256',
): boolean => points.some((point) => verify(curve, point, manifest.signed, manifest.signature));

/** The items of a part, whose size and SHA-256 must be those of the manifest. */
export function readPartItems(part: Part, octets: Octets): BppItem[] {
  const hash = createHash('sha256').update(octets).digest();
  if (octets.length !== part.size || !hash.equals(part.sha256))
    throw new DerError(`part ${part.name} is not the one of the manifest`);
  return [...readSeries(octets, 'part')].map(readItem);
}

function readItem(block: BaseBlock): BppItem {
  const fields = new Fields(block, 'BppItem');
  const itemId = readInteger(fields.take(0));
  const eid = decodeEid(content(fields.take(1)));
  const choice = new Fields(fields.take(2), 'outcome');
  fields.end();
  const bound = choice.maybe(0);
  return {
    itemId,
    eid,
    outcome: bound ? { bound: readBound(bound) } : { failed: readFailed(choice.take(1)) },
  };
}

function readBound(block: BaseBlock): Bound {
  const fields = new Fields(block, 'Bound');
  const bound = {
    transactionId: content(fields.take(0)),
    keyId: content(fields.take(1)),
    iccid: decodeIccid(content(fields.take(2))),
    chain: readInteger(fields.take(3)),
    bpp: content(fields.take(4)),
  };
  fields.end();
  return bound;
}

function readFailed(block: BaseBlock): Failed {
  const fields = new Fields(block, 'Failed');
  const subjectCode = readText(fields.take(0));
  const reasonCode = readText(fields.take(1));
  const message = fields.maybe(2);
  fields.end();
  return { subjectCode, reasonCode, ...(message && { message: readText(message) }) };
}

/** LoadPackage (FF66): what the FPA hands the eUICC before the segments of the BPP. */
export const encodeLoadPackage = ({ transactionId, keyId }: Bound, { ciPkId, certificates }: Chain): Octets =>
  encode(
    privateObject(102, [
      primitive(0, transactionId),
      primitive(1, keyId),
      constructed(2, [primitive(0, ciPkId), constructed(1, certificates.map(derTlv))]),
    ]),
  );
