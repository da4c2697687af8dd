import type { GuardedAction } from '../records/dual-control.ts';

/** A request for an action that takes two administrators. */
export interface ApprovalEntry {
  /** 32 hexadecimal characters. */
  readonly request: string;
  readonly action: GuardedAction;
  /** What the action is, in words. */
  readonly meaning: string;
  /** What it is done to: a fingerprint, a role, a name. */
  readonly subject: string;
  readonly state: 'waiting' | 'approved' | 'begun' | 'done' | 'withdrawn' | 'over';
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly endsAt: string;
  readonly approvedBy?: string;
  readonly approvedAt?: string;
  readonly doneBy?: string;
}

export interface ApprovalList {
  /** What a decision is signed for. */
  readonly deployment: string;
  readonly guarded: readonly GuardedAction[];
  readonly hours: number;
  /** Who may ask and agree, with the SHA-256 of the key (SubjectPublicKeyInfo); those with a role of AWS by commands alone. */
  readonly administrators: readonly {
    readonly name: string;
    readonly publicKey: string;
    readonly byCommand: boolean;
  }[];
  readonly approvals: readonly ApprovalEntry[];
}
