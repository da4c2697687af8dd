import { refuse } from '../errors.ts';
import type { Caller } from '../service/api/caller.ts';
import type { TransferPurpose } from '../service/api/transfers.ts';
import type { PartyFunction } from './interface-function.ts';

/** Refuses a party whose role is not that of the function (I7). */
export function allowFunction(caller: Caller, { path, role }: Pick<PartyFunction, 'path' | 'role'>): void {
  if (role !== caller.role) {
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
