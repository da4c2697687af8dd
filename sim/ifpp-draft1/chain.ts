import type { Bytes } from '../../shared/codec/bytes.ts';
import { Fields, readAll, readOnly, tlv } from '../tlv.ts';
import { sequenceOfOctets } from './fields.ts';

/** Certificates leaf first, root omitted; `ciPkId` names the root. */
export interface Chain {
  readonly ciPkId: Bytes;
  readonly certificates: readonly Bytes[];
}

export function chainFields({ ciPkId, certificates }: Chain): Bytes[] {
  return [tlv(0x80, ciPkId), sequenceOfOctets(0xa1, certificates)];
}

export function decodeChain(value: Bytes): Chain {
  const fields = new Fields(value);
  const ciPkId = fields.take(0x80).value;
  const certificates = readAll(fields.take(0xa1).value).map(({ raw }) => readOnly(raw, 0x04).value);
  fields.end();
  return { ciPkId, certificates };
}
