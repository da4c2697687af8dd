import type { BaseBlock } from 'asn1js';
import { decodeEid } from './identifiers.ts';
import { children, content, contents, Fields, type Octets, readInteger, readText } from './tlv.ts';

export interface Chain {
  readonly ciPkId: Octets;
  /** CERT.DPpb first, root omitted. */
  readonly certificates: readonly Octets[];
}

export interface Part {
  /** Opaque, for getTransfer; its slashes are no folders. */
  readonly name: string;
  readonly size: number;
  readonly sha256: Octets;
  /** Of the bound items alone. */
  readonly index: readonly { eid: string; transactionId: Octets; offset: number; length: number }[];
}

export function readChain(block: BaseBlock): Chain {
  const fields = new Fields(block, 'Chain');
  const chain = { ciPkId: content(fields.take(0)), certificates: contents(fields.take(1), 'certificates') };
  fields.end();
  return chain;
}

export function readPart(block: BaseBlock): Part {
  const fields = new Fields(block, 'Part');
  const part = {
    name: readText(fields.take(0)),
    size: readInteger(fields.take(1)),
    sha256: content(fields.take(2)),
    index: children(fields.take(3), 'index').map((entry) => {
      const of = new Fields(entry, 'Entry');
      return {
        eid: decodeEid(content(of.take(0))),
        transactionId: content(of.take(1)),
        offset: readInteger(of.take(2)),
        length: readInteger(of.take(3)),
      };
    }),
  };
  fields.end();
  return part;
}
