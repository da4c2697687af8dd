import type { ApprovalEntry } from './approvals.ts';
import type { Caller } from './caller.ts';
import type { ItemRefusal } from './item-refusal.ts';

/** For administrators: what the Operator's own functions do for an order of any Operator, and the register of parties. */
export interface Operations {
  cancelOrder(
    caller: Caller,
    input: { orderId: string; iccid?: string },
  ): Promise<{ cancelled: number; refused: readonly (ItemRefusal & { iccid: string })[] }>;
  closeOrder(caller: Caller, input: { orderId: string }): Promise<{ closed: number }>;
  replaceProfile(
    caller: Caller,
    input: { orderId: string; iccid: string },
  ): Promise<{ iccid: string; eid: string }>;
  /** Its certificates call no more, and may call again once it is resumed. */
  suspendParty(caller: Caller, input: { identifier: string }): Promise<{ certificates: number }>;
  resumeParty(caller: Caller, input: { identifier: string }): Promise<{ certificates: number }>;
  /**
   * A DPpb certificate of this server, by its SHA-256: binds nothing any more, and stays to verify results. `begin`: where that takes
   * two, the signed decision of one of them to do it.
   */
  retireCertificate(
    caller: Caller,
    input: { certificate: string; begin?: string },
  ): Promise<{ isNew: boolean }>;
  /** What an administrator has signed about an action that takes two: to ask for it, to agree, or to decline. */
  signApproval(caller: Caller, input: { decision: string }): Promise<{ approval: ApprovalEntry }>;
}
