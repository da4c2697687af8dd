import type { Bytes } from '../../codec/bytes.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Warning } from '../../warnings.ts';
import type { Caller } from './caller.ts';
import type { ItemRefusal } from './item-refusal.ts';

export interface FailedItem extends ItemRefusal {
  readonly itemId: number;
}

/** How often calls to keys had to be tried again, and the milliseconds that they waited, added up over all of them. */
export interface KeysSlowed {
  readonly times: number;
  readonly waitedMs: number;
}

/** Exactly one of `bppBatch`, `manifest`, `manifestRoot` and `manifestPage` is present once the state is Done. */
export interface BppAnswer {
  readonly requestId: string;
  readonly state: 'Pending' | 'Done';
  readonly items: number;
  /** Items whose chunk is committed. */
  readonly processed: number;
  readonly failed: readonly FailedItem[];
  /** Present where the key service has slowed the job down so far. */
  readonly keysSlowed?: KeysSlowed;
  /** FF62, where it fits an inline answer. */
  readonly bppBatch?: Bytes;
  /** FF65 and the parts it names, for larger ones. */
  readonly manifest?: Bytes;
  /** FF67, where the parts are too many for one manifest; `pages` of them are fetched by getBppBatch one by one. */
  readonly manifestRoot?: Bytes;
  /** FF68, where a page was asked for; `failed` is then about its items. */
  readonly manifestPage?: Bytes;
  readonly pages?: number;
  /** A detached JWS (ML-DSA-65) over the manifest or the root, where the server has a long-term key. */
  readonly longTermSignature?: string;
  readonly parts?: readonly ObjectRef[];
}

export interface Delivery {
  /**
   * `confirmed` resolves once the register has said that the caller is who it seems to be, and rejects where it is not:
   * until then things are read, and nothing is written, signed or answered.
   */
  requestBpp(caller: Caller, bppRequest: Bytes | ObjectRef, confirmed?: Promise<unknown>): Promise<BppAnswer>;
  /** `page`: of the manifest of a large answer, from 0. */
  getBppBatch(caller: Caller, input: { requestId: string; page?: number | undefined }): Promise<BppAnswer>;
}

export interface ReportAnswer {
  readonly reportId: string;
  /** `Pending`: items are still being verified; the same call again tells how far it is. */
  readonly state: 'Done' | 'Pending';
  /** Results signed by an eUICC that hold. */
  readonly verified: number;
  /** Unsigned words of the FPA that were taken down. */
  readonly noted: number;
  /** Once Done the first thousand; where there are more, all of them in the result object. */
  readonly rejected: readonly (ItemRefusal & { itemIndex: number })[];
  readonly rejectedCount: number;
  readonly warnings?: readonly Warning[];
}

export interface Reports {
  /** Refuses a report that is not the one that is `named`, by its reportId. */
  sendProfileLoadingReport(
    caller: Caller,
    profileLoadingReport: Bytes | ObjectRef,
    named?: string,
  ): Promise<ReportAnswer>;
}

/** What eUICCs have signed to be deleted. */
export interface DeletionStatement {
  /** A compact JWS by the delivery key; absent where none of the eUICCs has signed a deletion. */
  readonly statement?: string;
  /** A second signature over it, where the server has a long-term key. */
  readonly longTermSignature?: string;
  /** Profiles in it. */
  readonly deletions: number;
  /** EIDs that it says nothing of. */
  readonly refused: readonly (ItemRefusal & { eid: string })[];
}

export interface DeletionStatements {
  /** For devices that return to stock: of profiles that the caller had bound (SGP.41 annex A.4). */
  getDeletionStatement(caller: Caller, input: { eids: readonly string[] }): Promise<DeletionStatement>;
}
