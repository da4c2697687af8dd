import type { KeyRole } from '../keys/provider.ts';

/**
 * To use a key in its role, or only to read what it is and its public key where it has one. `rewrapping` is for data
 * keys on their way from one wrapping key to another, `callbackWrapping` for those of the keys of callbacks alone.
 */
export type KeyNeed = KeyRole | `${KeyRole}Public` | 'rewrapping' | 'callbackWrapping';

/**
 * What a function may do at each port besides the ledger, where every call may leave its line. Where each function
 * is a process of its own, its grants, its configuration and its bundle follow from this, and a port that is not
 * named here is `none:` (shared/no-port.ts).
 */
export interface PortNeeds {
  readonly vault?: 'read' | 'write';
  readonly ppks?: true;
  readonly keys?: readonly KeyNeed[];
  readonly dispatcher?: true;
  readonly notifier?: true;
}
