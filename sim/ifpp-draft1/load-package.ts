import type { Bytes } from '../../shared/codec/bytes.ts';
import { Fields, readOnly, tlv } from '../tlv.ts';
import { type Chain, chainFields, decodeChain } from './chain.ts';
import { takeId } from './fields.ts';

export interface LoadPackage {
  readonly transactionId: Bytes;
  readonly keyId: Bytes;
  readonly chain: Chain;
}

/** LoadPackage (FF66): the first thing the FPA sends over ES10f for a BPP. */
export function encodeLoadPackage({ transactionId, keyId, chain }: LoadPackage): Bytes {
  return tlv(0xff66, tlv(0x80, transactionId), tlv(0x81, keyId), tlv(0xa2, ...chainFields(chain)));
}

export function decodeLoadPackage(der: Bytes): LoadPackage {
  const fields = new Fields(readOnly(der, 0xff66).value);
  const transactionId = takeId(fields, 0x80);
  const keyId = takeId(fields, 0x81);
  const chain = decodeChain(fields.take(0xa2).value);
  fields.end();
  return { transactionId, keyId, chain };
}
