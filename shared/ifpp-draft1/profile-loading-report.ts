import type { Bytes } from '../codec/bytes.ts';
import { readSingle, TlvReader, tlv, tlvOf } from '../codec/tlv.ts';
import { refuse } from '../errors.ts';
import { read } from './fields.ts';
import { TAG } from './tags.ts';

/** ProfileLoadingReport (FF63): signed eUICC results and the FPA's own, unsigned words about the rest. */
const PROFILE_LOADING_REPORT = TAG.profileLoadingReport;

export const MAX_REPORT_ITEMS = 200_000;

export const FPA_CAUSES = {
  1: 'unreachable',
  2: 'damaged',
  3: 'fpaFailure',
  4: 'badStatusWord',
  5: 'noResult',
  6: 'notAttempted',
  127: 'other',
} as const;
export type FpaCause = (typeof FPA_CAUSES)[keyof typeof FPA_CAUSES];

export type ReportItem =
  /** BF37, or an OtherSignedNotification (SEQUENCE). */
  | { readonly kind: 'euiccResult' | 'otherSigned'; readonly result: Bytes; readonly at: string | undefined }
  | {
      readonly kind: 'fpaError';
      readonly transactionId: string;
      readonly eid: string;
      readonly cause: FpaCause;
      /** Two octets as hexadecimal. */
      readonly statusWord: string | undefined;
      readonly detail: string | undefined;
      readonly at: string | undefined;
    };

export interface ProfileLoadingReport {
  readonly reportId: string;
  /** The complete element of each item: one that is malformed inside spoils itself alone. */
  readonly items: readonly Bytes[];
}

export function decodeProfileLoadingReport(der: Bytes): ProfileLoadingReport {
  const fields = TlvReader.of(readSingle(der, PROFILE_LOADING_REPORT, 'ProfileLoadingReport'));
  const reportId = readReportId(fields);
  const items = read.list(fields, 2, 'items', MAX_REPORT_ITEMS, (list) => list.next('ReportItem').raw);
  fields.end();
  return { reportId, items };
}

/** The fields before the items. */
export function readReportId(fields: TlvReader): string {
  read.version(fields);
  return read.id(fields, 1, 'reportId');
}

export function decodeReportItem(element: Bytes): ReportItem {
  const choice = new TlvReader(element);
  const tag = choice.peek()?.tag;
  let item: ReportItem;
  if (tag === 0xa0) item = readEuiccResult(choice.enter(0xa0, 'euiccResult'), 'euiccResult');
  else if (tag === 0xa1) item = readFpaError(choice.enter(0xa1, 'fpaError'));
  else if (tag === 0xa2) item = readEuiccResult(choice.enter(0xa2, 'otherSigned'), 'otherSigned');
  else return refuse('protocolFormat', 'a ReportItem is euiccResult, fpaError or otherSigned');
  choice.end();
  return item;
}

function readEuiccResult(fields: TlvReader, kind: 'euiccResult' | 'otherSigned'): ReportItem {
  const result = read.derTlv(fields, 0, 'result');
  const at = read.has(fields, 1) ? readTime(fields, 1) : undefined;
  fields.end();
  return { kind, result, at };
}

function readFpaError(fields: TlvReader): ReportItem {
  const transactionId = read.id(fields, 0, 'transactionId');
  const eid = read.eid(fields, 1, 'eid');
  const code = read.integer(fields, 2, 'cause');
  const cause =
    (FPA_CAUSES as Record<number, FpaCause>)[code] ?? refuse('protocolFormat', `cause ${code} is unknown`);
  const statusWord = read.has(fields, 3)
    ? Buffer.from(read.octets(fields, 3, 'statusWord', 2)).toString('hex')
    : undefined;
  const detail = read.has(fields, 4) ? read.text(fields, 4, 'detail', 1024) : undefined;
  const at = read.has(fields, 5) ? readTime(fields, 5) : undefined;
  fields.end();
  return { kind: 'fpaError', transactionId, eid, cause, statusWord, detail, at };
}

/** GeneralizedTime in its DER form, YYYYMMDDHHMMSSZ; returned as ISO 8601. */
function readTime(fields: TlvReader, n: number): string {
  const text = Buffer.from(fields.octets(0x80 + n, 'at', 15)).toString('latin1');
  const match =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) ??
    refuse('protocolFormat', 'a time has the form YYYYMMDDHHMMSSZ');
  const iso = `${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`;
  const parsed = new Date(iso);
  if (Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 19) !== iso.slice(0, 19)) {
    refuse('protocolFormat', 'there is no such time');
  }
  return iso;
}

export function encodeProfileLoadingReport(reportId: string, items: readonly Bytes[]): Bytes {
  return tlv(
    PROFILE_LOADING_REPORT,
    tlv(0x80, Buffer.of(1)),
    tlv(0x81, Buffer.from(reportId, 'hex')),
    tlvOf(0xa2, items),
  );
}
