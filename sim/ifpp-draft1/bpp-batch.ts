import type { Bytes } from '../../shared/codec/bytes.ts';
import {
  decodeEid,
  decodeIccid,
  decodeInteger,
  decodeUtf8,
  encodeEid,
  encodeIccid,
  encodeInteger,
} from '../coding.ts';
import { Fields, readAll, readOnly, readTlv, SimError, tlv, tlvOf } from '../tlv.ts';
import { type Chain, chainFields, decodeChain } from './chain.ts';
import { takeId, takeVersion, text, VERSION } from './fields.ts';

export interface Bound {
  readonly transactionId: Bytes;
  readonly keyId: Bytes;
  readonly iccid: string;
  /** Index into the chains of the batch. */
  readonly chain: number;
  readonly bpp: Bytes;
}

export interface Failed {
  readonly subjectCode: string;
  readonly reasonCode: string;
  readonly message?: string;
}

export interface BppItem {
  readonly itemId: number;
  readonly eid: string;
  readonly bound?: Bound;
  readonly failed?: Failed;
}

export interface BppBatch {
  readonly requestId: Bytes;
  readonly chains: readonly Chain[];
  readonly items: readonly BppItem[];
}

/** BppBatch (FF62) as an SM-DPf writes it; the factory's own tests need it. */
export function encodeBppBatch(batch: BppBatch): Bytes {
  return tlv(
    0xff62,
    VERSION,
    tlv(0x81, batch.requestId),
    tlv(0xa2, ...batch.chains.map((chain) => tlv(0x30, ...chainFields(chain)))),
    tlvOf(0xa3, batch.items.map(encodeBppItem)),
  );
}

function encodeBppItem({ itemId, eid, bound, failed }: BppItem): Bytes {
  const outcome =
    bound !== undefined
      ? tlv(
          0xa0,
          tlv(0x80, bound.transactionId),
          tlv(0x81, bound.keyId),
          tlv(0x82, encodeIccid(bound.iccid)),
          tlv(0x83, encodeInteger(bound.chain)),
          tlv(0x84, bound.bpp),
        )
      : tlv(
          0xa1,
          tlv(0x80, text(failed?.subjectCode ?? '')),
          tlv(0x81, text(failed?.reasonCode ?? '')),
          ...(failed?.message === undefined ? [] : [tlv(0x82, text(failed.message))]),
        );
  return tlv(0x30, tlv(0x80, encodeInteger(itemId)), tlv(0x81, encodeEid(eid)), tlv(0xa2, outcome));
}

export function decodeBppBatch(der: Bytes): BppBatch {
  const fields = new Fields(readOnly(der, 0xff62).value);
  takeVersion(fields);
  const requestId = takeId(fields, 0x81);
  const chains = readAll(fields.take(0xa2).value).map(({ raw }) => decodeChain(readOnly(raw, 0x30).value));
  const items = readAll(fields.take(0xa3).value).map(({ raw }) => decodeBppItem(raw));
  fields.end();
  return { requestId, chains, items };
}

/** One BppItem (a SEQUENCE): what a BatchManifest's offsets point at. */
export function decodeBppItem(der: Bytes): BppItem {
  const fields = new Fields(readOnly(der, 0x30).value);
  const itemId = decodeInteger(fields.take(0x80).value);
  const eid = decodeEid(fields.take(0x81).value);
  const outcome = readTlv(fields.take(0xa2).value);
  fields.end();
  const inner = new Fields(outcome.value);
  if (outcome.tag === 0xa0) {
    const bound = {
      transactionId: takeId(inner, 0x80),
      keyId: takeId(inner, 0x81),
      iccid: decodeIccid(inner.take(0x82).value),
      chain: decodeInteger(inner.take(0x83).value),
      bpp: inner.take(0x84).value,
    };
    inner.end();
    return { itemId, eid, bound };
  }
  if (outcome.tag !== 0xa1) throw new SimError('an outcome is bound or failed');
  const subjectCode = decodeUtf8(inner.take(0x80).value);
  const reasonCode = decodeUtf8(inner.take(0x81).value);
  const message = inner.maybe(0x82);
  inner.end();
  return {
    itemId,
    eid,
    failed: {
      subjectCode,
      reasonCode,
      ...(message === undefined ? {} : { message: decodeUtf8(message.value) }),
    },
  };
}
