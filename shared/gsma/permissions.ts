import { refuse } from '../errors.ts';
import type { Caller, PartyRole } from '../service/api/caller.ts';
import type { TransferPurpose } from '../service/api/transfers.ts';
import type { PartyFunction } from './interface-function.ts';

/** Who may look beside those whose role it is: whoever may change something, or reads the audit log. */
const MAY_VIEW: readonly PartyRole[] = ['viewer', 'auditor', 'administrator'];

/** Roles that may call a function of this role. */
export const rolesFor = (role: PartyRole): readonly PartyRole[] => (role === 'viewer' ? MAY_VIEW : [role]);

/** Refuses a party whose role is not that of the function (I7). */
export function allowFunction(caller: Caller, { path, role }: Pick<PartyFunction, 'path' | 'role'>): void {
  if (!rolesFor(role).includes(caller.role)) {
    refuse('requesterNotAllowed', `${path} is not for the role of this party`, {
      subjectIdentifier: caller.identifier,
    });
  }
}

/** Refuses an upload that no function of the interface would take. */
export function allowPurpose(
  caller: Caller,
  purpose: TransferPurpose,
  allowed: readonly TransferPurpose[],
): void {
  if (!allowed.includes(purpose)) {
    refuse('requesterNotAllowed', `transfers for ${purpose} are not for the role of this party`, {
      subjectIdentifier: caller.identifier,
    });
  }
}
