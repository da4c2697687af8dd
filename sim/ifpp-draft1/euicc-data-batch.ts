import type { Bytes } from '../../shared/codec/bytes.ts';
import { encodeEid, encodeOid } from '../coding.ts';
import { tlv, tlvOf } from '../tlv.ts';
import { sequenceOfOctets, text, VERSION } from './fields.ts';

export interface OneTimeKey {
  readonly keyId: Bytes;
  readonly otPk: Bytes;
  readonly proof: Bytes;
}

export interface EuiccEntry {
  /** 32 digits. */
  readonly eid: string;
  readonly euiccCert: Bytes;
  readonly oneTimeKeys: readonly OneTimeKey[];
  readonly euiccInfo2?: Bytes;
}

export interface EuiccDataBatch {
  readonly batchId: Bytes;
  readonly ciPkId: Bytes;
  /** Dotted OID. */
  readonly curve: string;
  readonly eumChain: readonly Bytes[];
  readonly euiccInfo2: Bytes;
  readonly entries: readonly EuiccEntry[];
  readonly deviceManufacturers?: readonly string[];
}

/** OneTimeKeyTbs (FF64): what SK.EUICC signs as proof of a one-time key. */
export function encodeOneTimeKeyTbs(eid: string, keyId: Bytes, otPk: Bytes, euiccInfo2Hash: Bytes): Bytes {
  return tlv(0xff64, tlv(0x80, encodeEid(eid)), tlv(0x81, keyId), tlv(0x82, otPk), tlv(0x83, euiccInfo2Hash));
}

export function encodeEuiccEntry(entry: EuiccEntry): Bytes {
  return tlv(
    0x30,
    tlv(0x80, encodeEid(entry.eid)),
    tlv(0x81, entry.euiccCert),
    tlv(
      0xa2,
      ...entry.oneTimeKeys.map(({ keyId, otPk, proof }) =>
        tlv(0x30, tlv(0x80, keyId), tlv(0x81, otPk), tlv(0x82, proof)),
      ),
    ),
    ...(entry.euiccInfo2 === undefined ? [] : [tlv(0x83, entry.euiccInfo2)]),
  );
}

/** EuiccDataBatch (FF60); `signData` signs the encoded fields 0..7 with the EUM's data key, raw r || s. */
export function encodeEuiccDataBatch(batch: EuiccDataBatch, signData?: (fields: Bytes) => Bytes): Bytes {
  const fields = [
    VERSION,
    tlv(0x81, batch.batchId),
    tlv(0x82, batch.ciPkId),
    tlv(0x83, encodeOid(batch.curve)),
    sequenceOfOctets(0xa4, batch.eumChain),
    tlv(0x85, batch.euiccInfo2),
    tlvOf(0xa6, batch.entries.map(encodeEuiccEntry)),
    ...(batch.deviceManufacturers === undefined
      ? []
      : [tlv(0xa7, ...batch.deviceManufacturers.map((party) => tlv(0x0c, text(party))))]),
  ];
  if (signData !== undefined) fields.push(tlv(0x88, signData(Buffer.concat(fields))));
  return tlv(0xff60, ...fields);
}
