import type { BaseBlock } from 'asn1js';
import { encodeEid, encodeId16 } from './identifiers.ts';
import { constructed, encode, integer, type Octets, primitive, privateObject, text } from './tlv.ts';

const CAUSES = {
  unreachable: 1,
  damaged: 2,
  fpaFailure: 3,
  badStatusWord: 4,
  noResult: 5,
  notAttempted: 6,
  other: 127,
} as const;

export interface FpaError {
  readonly transactionId: Octets;
  readonly eid: string;
  readonly cause: keyof typeof CAUSES;
  /** SW1 SW2. */
  readonly statusWord?: Octets;
  readonly detail?: string;
  readonly at?: Date;
}

/** A result that the eUICC signed, as it came (BF37, or an OtherSignedNotification), or the word of the FPA. */
export type ReportItem =
  | { readonly euiccResult: Octets; readonly at?: Date }
  | { readonly fpaError: FpaError }
  | { readonly otherSigned: Octets; readonly at?: Date };

export interface ProfileLoadingReport {
  /** Hexadecimal, 1 to 16 octets. */
  readonly reportId: string;
  readonly items: readonly ReportItem[];
}

/** ProfileLoadingReport (FF63). */
export const encodeProfileLoadingReport = ({ reportId, items }: ProfileLoadingReport): Octets =>
  encode(
    privateObject(99, [
      primitive(0, integer(1)),
      primitive(1, encodeId16(reportId)),
      constructed(2, items.map(itemBlock)),
    ]),
  );

function itemBlock(item: ReportItem): BaseBlock {
  if ('euiccResult' in item) return constructed(0, [primitive(0, item.euiccResult), ...time(1, item.at)]);
  if ('otherSigned' in item) return constructed(2, [primitive(0, item.otherSigned), ...time(1, item.at)]);
  const { transactionId, eid, cause, statusWord, detail, at } = item.fpaError;
  return constructed(1, [
    primitive(0, transactionId),
    primitive(1, encodeEid(eid)),
    primitive(2, integer(CAUSES[cause])),
    ...(statusWord === undefined ? [] : [primitive(3, statusWord)]),
    ...(detail === undefined ? [] : [primitive(4, text(detail))]),
    ...time(5, at),
  ]);
}

/** GeneralizedTime in UTC, whole seconds. */
const time = (tagNumber: number, at: Date | undefined): BaseBlock[] =>
  at === undefined ? [] : [primitive(tagNumber, text(`${at.toISOString().replace(/[-:T]|\.\d+Z$/g, '')}Z`))];
