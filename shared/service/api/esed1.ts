import type { Bytes } from '../../codec/bytes.ts';
import type { ObjectRef } from '../../vault/vault.ts';
import type { Warning } from '../../warnings.ts';
import type { Caller } from './caller.ts';
import type { ItemRefusal } from './item-refusal.ts';

export interface EuiccDataAnswer {
  readonly batchId: string;
  /** `Pending`: it is still being read, or its entries verified; the same call again tells how far it is. */
  readonly state: 'Done' | 'Pending';
  /** Absent as long as it is being read. */
  readonly entries?: number;
  readonly accepted: number;
  /** Once Done the first thousand; where there are more, all of them in the result object. */
  readonly rejected: readonly (ItemRefusal & { index: number; eid: string; keyId?: string })[];
  readonly rejectedCount: number;
  readonly warnings?: readonly Warning[];
}

export interface KeyToClose {
  readonly eid: string;
  /** All unused keys of the eUICC when absent. */
  readonly keyId?: string;
}

export interface CloseKeysAnswer {
  readonly closed: number;
  /** Keys that a BPP is bound to: they stay bound. */
  readonly bound: readonly { eid: string; keyId: string }[];
  readonly refused: readonly (ItemRefusal & { eid: string; keyId?: string })[];
}

export interface Ingest {
  registerEuiccData(caller: Caller, euiccDataBatch: Bytes | ObjectRef): Promise<EuiccDataAnswer>;
  closeKeys(caller: Caller, items: readonly KeyToClose[]): Promise<CloseKeysAnswer>;
}
