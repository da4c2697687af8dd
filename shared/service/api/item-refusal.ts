import type { Refusal } from '../../errors.ts';
import type { StatusName } from '../../status-codes.ts';

export interface ItemRefusal {
  /** Row of shared/status-codes.ts; the two codes follow from it. */
  readonly code: StatusName;
  readonly subjectCode: string;
  readonly reasonCode: string;
  readonly message: string;
}

/** A refusal as it stands with one item of many. */
export function itemRefusal({ code, subjectCode, reasonCode, message }: Refusal): ItemRefusal {
  return { code, subjectCode, reasonCode, message };
}
