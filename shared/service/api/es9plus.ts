import type { Bytes } from '../../codec/bytes.ts';

export interface Notifications {
  /** ES9+ from a device in the field: no caller, trusted by signature alone. */
  handleNotification(pendingNotification: Bytes): Promise<void>;
}
