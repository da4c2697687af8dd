import type { Bytes } from '../codec/bytes.ts';
import { readSingle, TlvReader, tlv } from '../codec/tlv.ts';
import { type Chain, encodeChainFields, readChainFields } from './chain.ts';
import { read, write } from './fields.ts';
import { TAG } from './tags.ts';

/**
 * LoadPackage (FF66): what the FPA hands the eUICC before the segments of a BPP. It takes the place of SGP.22's
 * PrepareDownload: transaction, choice of one-time key, and the certificates that lead to a CI the eUICC knows.
 */
const LOAD_PACKAGE = TAG.loadPackage;

export interface LoadPackage {
  readonly transactionId: string;
  readonly keyId: string;
  readonly chain: Chain;
}

export function encodeLoadPackage(load: LoadPackage): Bytes {
  return tlv(
    LOAD_PACKAGE,
    write.id(0, load.transactionId),
    write.id(1, load.keyId),
    write.choice(2, ...encodeChainFields(load.chain)),
  );
}

export function decodeLoadPackage(der: Bytes): LoadPackage {
  const fields = TlvReader.of(readSingle(der, LOAD_PACKAGE, 'LoadPackage'));
  const load = {
    transactionId: read.id(fields, 0, 'transactionId'),
    keyId: read.id(fields, 1, 'keyId'),
    chain: readChainFields(fields.enter(0xa2, 'chain')),
  };
  fields.end();
  return load;
}
