import { type Bytes, concat, toHex } from '../../shared/codec/bytes.ts';
import { decodeBppBatch } from '../../sim/ifpp-draft1.ts';
import { readAll, readOnly } from '../../sim/tlv.ts';

export interface AnsweredItem {
  readonly itemId: number;
  readonly eid: string;
  /** Codes and words of a refusal. */
  readonly failed?: string;
  readonly bound?: {
    readonly iccid: string;
    readonly keyId: string;
    readonly transactionId: string;
    readonly bpp: Bytes;
  };
}

export function itemsOf(bppBatch: Bytes): AnsweredItem[] {
  return decodeBppBatch(bppBatch).items.map(({ itemId, eid, bound, failed }) => ({
    itemId,
    eid,
    ...(failed === undefined
      ? {}
      : { failed: `${failed.subjectCode}/${failed.reasonCode} ${failed.message ?? ''}` }),
    ...(bound === undefined
      ? {}
      : {
          bound: {
            iccid: bound.iccid,
            keyId: toHex(bound.keyId),
            transactionId: toHex(bound.transactionId),
            bpp: bound.bpp,
          },
        }),
  }));
}

/** The protected profile of a BPP: its last A3, the '86' segments as they stand (SGP.22 §2.5.4). */
export function protectedProfile(bpp: Bytes): Bytes {
  const elements = readAll(readOnly(bpp, 0xbf36).value);
  const last = elements.findLast(({ tag }) => tag === 0xa3);
  return last === undefined ? new Uint8Array() : concat(...readAll(last.value).map(({ raw }) => raw));
}
