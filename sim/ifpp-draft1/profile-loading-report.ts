import type { Bytes } from '../../shared/codec/bytes.ts';
import {
  decodeEid,
  decodeInteger,
  decodeTime,
  decodeUtf8,
  encodeEid,
  encodeGeneralizedTime,
  encodeInteger,
} from '../coding.ts';
import { Fields, readAll, readOnly, SimError, tlv, tlvOf } from '../tlv.ts';
import { takeId, takeVersion, text, VERSION } from './fields.ts';

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
  return tlv(0xff63, VERSION, tlv(0x81, reportId), tlvOf(0xa2, items.map(encodeReportItem)));
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
