import type { ProfileState } from '../api/es2f.ts';
import { recordOf } from './record.ts';

/** What is known of a profile after it was bound, or closed without being bound. */
export interface ProfileRecord {
  readonly state: Exclude<ProfileState, 'Available' | 'Bound' | 'Delivered'>;
  readonly iccid: string;
  readonly eid?: string;
  readonly transactionId?: string;
  /** Why, in words; never a secret. */
  readonly detail?: string;
  /** The signed result as received: BF37 or an OtherSignedNotification. */
  readonly result?: Uint8Array;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export const profileRecord = recordOf<ProfileRecord>();
