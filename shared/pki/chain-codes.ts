import type { StatusName } from '../status-codes.ts';

/** Which refusals the rules of a chain give: it does not verify; it is out of its validity or revoked. */
export interface ChainCodes {
  readonly invalid: StatusName;
  readonly expired: StatusName;
}
