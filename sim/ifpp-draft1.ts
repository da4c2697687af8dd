import { createHash } from 'node:crypto';
import { type Bytes, equal } from '../shared/codec/bytes.ts';
import {
  decodeEid,
  decodeIccid,
  decodeInteger,
  decodeTime,
  decodeUtf8,
  encodeEid,
  encodeGeneralizedTime,
  encodeIccid,
  encodeInteger,
  encodeOid,
} from './coding.ts';
import { type EcPoint, verify } from './curve.ts';
import { Fields, readAll, readOnly, readTlv, SimError, tlv } from './tlv.ts';

// Reader and writer of IfppDraft1 (shared/ifpp-draft1/ifpp-draft1.asn), by hand and apart from the server's own.
// EIDs and ICCIDs are digits; all else is octets.

const VERSION = tlv(0x80, Uint8Array.of(1));
const text = (value: string): Bytes => Buffer.from(value, 'utf8');
const sequenceOfOctets = (tag: number, values: readonly Bytes[]): Bytes =>
  tlv(tag, ...values.map((value) => tlv(0x04, value)));

function takeVersion(fields: Fields): void {
  const version = decodeInteger(fields.take(0x80).value);
  if (version !== 1) throw new SimError(`version ${version} is not known`);
}

function takeId(fields: Fields, tag: number): Bytes {
  const { value } = fields.take(tag);
  if (value.length < 1 || value.length > 16) throw new SimError('an identifier has 1 to 16 octets');
  return value;
}

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
    tlv(0xa6, ...batch.entries.map(encodeEuiccEntry)),
    ...(batch.deviceManufacturers === undefined
      ? []
      : [tlv(0xa7, ...batch.deviceManufacturers.map((party) => tlv(0x0c, text(party))))]),
  ];
  if (signData !== undefined) fields.push(tlv(0x88, signData(Buffer.concat(fields))));
  return tlv(0xff60, ...fields);
}

export interface RequestItem {
  readonly itemId: number;
  readonly eid: string;
  readonly keyId?: Bytes;
  readonly iccid?: string;
  readonly additional?: boolean;
}

export interface BppRequest {
  readonly requestId: Bytes;
  readonly orderId: string;
  /** A whole FF60: the device manufacturer passes the eUICC data on (path B). */
  readonly euiccData?: Bytes;
  readonly items: readonly RequestItem[];
}

export function encodeBppRequest(request: BppRequest): Bytes {
  return tlv(
    0xff61,
    VERSION,
    tlv(0x81, request.requestId),
    tlv(0x82, text(request.orderId)),
    ...(request.euiccData === undefined ? [] : [tlv(0x83, request.euiccData)]),
    tlv(
      0xa4,
      ...request.items.map(({ itemId, eid, keyId, iccid, additional }) =>
        tlv(
          0x30,
          tlv(0x80, encodeInteger(itemId)),
          tlv(0x81, encodeEid(eid)),
          ...(keyId === undefined ? [] : [tlv(0x82, keyId)]),
          ...(iccid === undefined ? [] : [tlv(0x83, encodeIccid(iccid))]),
          ...(additional === undefined ? [] : [tlv(0x84, Uint8Array.of(additional ? 0xff : 0))]),
        ),
      ),
    ),
  );
}

/** Certificates leaf first, root omitted; `ciPkId` names the root. */
export interface Chain {
  readonly ciPkId: Bytes;
  readonly certificates: readonly Bytes[];
}

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

function chainFields({ ciPkId, certificates }: Chain): Bytes[] {
  return [tlv(0x80, ciPkId), sequenceOfOctets(0xa1, certificates)];
}

function decodeChain(value: Bytes): Chain {
  const fields = new Fields(value);
  const ciPkId = fields.take(0x80).value;
  const certificates = readAll(fields.take(0xa1).value).map(({ raw }) => readOnly(raw, 0x04).value);
  fields.end();
  return { ciPkId, certificates };
}

/** BppBatch (FF62) as an SM-DPf writes it; the factory's own tests need it. */
export function encodeBppBatch(batch: BppBatch): Bytes {
  return tlv(
    0xff62,
    VERSION,
    tlv(0x81, batch.requestId),
    tlv(0xa2, ...batch.chains.map((chain) => tlv(0x30, ...chainFields(chain)))),
    tlv(0xa3, ...batch.items.map(encodeBppItem)),
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
  const items = readAll(parts.value).map(({ value }) => {
    const entry = new Fields(value);
    const name = decodeUtf8(entry.take(0x80).value);
    const size = decodeInteger(entry.take(0x81).value);
    const sha256 = entry.take(0x82).value;
    const octets = part(name);
    if (octets.length !== size || !equal(createHash('sha256').update(octets).digest(), sha256)) {
      throw new SimError(`part ${name} is not the one of the manifest`);
    }
    return octets;
  });
  return tlv(0xff62, VERSION, requestId.raw, chains.raw, tlv(0xa3, ...items));
}

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

/** Values of FpaError.cause. */
export const FPA_CAUSE = {
  unreachable: 1,
  damaged: 2,
  fpaFailure: 3,
  badStatusWord: 4,
  noResult: 5,
  notAttempted: 6,
  other: 127,
} as const;
export type FpaCause = keyof typeof FPA_CAUSE;

export interface FpaError {
  readonly transactionId: Bytes;
  readonly eid: string;
  readonly cause: FpaCause;
  /** Two octets. */
  readonly statusWord?: Bytes;
  readonly detail?: string;
  readonly at?: Date;
}

export type ReportItem =
  | { readonly euiccResult: Bytes; readonly at?: Date }
  | { readonly fpaError: FpaError }
  | { readonly otherSigned: Bytes; readonly at?: Date };

export interface ProfileLoadingReport {
  readonly reportId: Bytes;
  readonly items: readonly ReportItem[];
}

const at = (tag: number, time: Date | undefined): Bytes[] =>
  time === undefined ? [] : [tlv(tag, text(encodeGeneralizedTime(time)))];

export function encodeProfileLoadingReport({ reportId, items }: ProfileLoadingReport): Bytes {
  return tlv(0xff63, VERSION, tlv(0x81, reportId), tlv(0xa2, ...items.map(encodeReportItem)));
}

function encodeReportItem(item: ReportItem): Bytes {
  if ('euiccResult' in item) return tlv(0xa0, tlv(0x80, item.euiccResult), ...at(0x81, item.at));
  if ('otherSigned' in item) return tlv(0xa2, tlv(0x80, item.otherSigned), ...at(0x81, item.at));
  const { transactionId, eid, cause, statusWord, detail, at: time } = item.fpaError;
  return tlv(
    0xa1,
    tlv(0x80, transactionId),
    tlv(0x81, encodeEid(eid)),
    tlv(0x82, encodeInteger(FPA_CAUSE[cause])),
    ...(statusWord === undefined ? [] : [tlv(0x83, statusWord)]),
    ...(detail === undefined ? [] : [tlv(0x84, text(detail))]),
    ...at(0x85, time),
  );
}

export function decodeProfileLoadingReport(der: Bytes): ProfileLoadingReport {
  const fields = new Fields(readOnly(der, 0xff63).value);
  takeVersion(fields);
  const reportId = takeId(fields, 0x81);
  const items = readAll(fields.take(0xa2).value).map(({ tag, value }) => decodeReportItem(tag, value));
  fields.end();
  return { reportId, items };
}

function decodeReportItem(tag: number, value: Bytes): ReportItem {
  const fields = new Fields(value);
  const time = (timeTag: number): { at?: Date } => {
    const element = fields.maybe(timeTag);
    return element === undefined ? {} : { at: decodeTime(element.value) };
  };
  if (tag === 0xa0 || tag === 0xa2) {
    const result = fields.take(0x80).value;
    const when = time(0x81);
    fields.end();
    return tag === 0xa0 ? { euiccResult: result, ...when } : { otherSigned: result, ...when };
  }
  if (tag !== 0xa1) throw new SimError('an item is euiccResult, fpaError or otherSigned');
  const transactionId = takeId(fields, 0x80);
  const eid = decodeEid(fields.take(0x81).value);
  const code = decodeInteger(fields.take(0x82).value);
  const cause = (Object.keys(FPA_CAUSE) as FpaCause[]).find((name) => FPA_CAUSE[name] === code);
  if (cause === undefined) throw new SimError(`cause ${code} is not known`);
  const statusWord = fields.maybe(0x83)?.value;
  const detail = fields.maybe(0x84)?.value;
  const when = time(0x85);
  fields.end();
  return {
    fpaError: {
      transactionId,
      eid,
      cause,
      ...(statusWord === undefined ? {} : { statusWord }),
      ...(detail === undefined ? {} : { detail: decodeUtf8(detail) }),
      ...when,
    },
  };
}
