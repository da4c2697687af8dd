import type { Bytes } from '../codec/bytes.ts';
import { OctetWriter } from '../codec/octet-writer.ts';
import { readSingle, TlvReader } from '../codec/tlv.ts';
import { tlvLength } from '../codec/tlv-header.ts';

/**
 * ES8+.ReplaceSessionKeys (SGP.22 section 5.5.4): `BF26 { 80 initialMacChainingValue, 81 ppkEnc, 82 ppkCmac }`, 16
 * octets each. Afterwards the BSP goes on with these keys, this chaining value and counter 1. Secret.
 */
export interface ReplaceSessionKeysRequest {
  readonly initialMacChainingValue: Bytes;
  readonly ppkEnc: Bytes;
  readonly ppkCmac: Bytes;
}

const REPLACE_SESSION_KEYS = 0xbf26;
/** Octets of the whole element. */
export const REPLACE_SESSION_KEYS_LENGTH = 57;

export function encodeReplaceSessionKeys(request: ReplaceSessionKeysRequest): Bytes {
  const keys = [request.initialMacChainingValue, request.ppkEnc, request.ppkCmac];
  if (keys.some((key) => key.length !== 16)) throw new RangeError('session keys have 16 octets');
  // into one buffer, which the caller wipes: no other has the keys
  const out = new OctetWriter(REPLACE_SESSION_KEYS_LENGTH);
  out.header(REPLACE_SESSION_KEYS, 3 * tlvLength(0x80, 16));
  for (const [index, key] of keys.entries()) out.tlv(0x80 + index, key);
  return out.finish();
}

export function decodeReplaceSessionKeys(octets: Bytes): ReplaceSessionKeysRequest {
  const reader = TlvReader.of(readSingle(octets, REPLACE_SESSION_KEYS, 'ReplaceSessionKeysRequest'));
  const request = {
    initialMacChainingValue: reader.octets(0x80, 'initialMacChainingValue', 16),
    ppkEnc: reader.octets(0x81, 'ppkEnc', 16),
    ppkCmac: reader.octets(0x82, 'ppkCmac', 16),
  };
  reader.end();
  return request;
}
