import { createHash } from 'node:crypto';
import { refuse } from '../../shared/errors.ts';
import type { Caller } from '../../shared/service/api/caller.ts';

/** What somebody may do in the console: look, or change too. */
export const CONSOLE_ROLES = ['viewer', 'administrator'] as const;
export type ConsoleRole = (typeof CONSOLE_ROLES)[number];

export const isConsoleRole = (role: string): role is ConsoleRole => CONSOLE_ROLES.some((one) => one === role);

export const LOGIN_WAYS = ['link', 'certificate', 'oidc'] as const;

/** Somebody who has logged in. */
export interface Login {
  /** The audit log has changes under this name: 1 to 128 characters, none of them a control character. */
  readonly person: string;
  readonly role: ConsoleRole;
  readonly by: (typeof LOGIN_WAYS)[number];
}

/** The functionRequesterIdentifier of all calls that come from the console. */
export const CONSOLE = 'console';

/** A login as the functions see a caller. No client certificate has this fingerprint: it is over a name. */
export const callerOf = ({ person, role, by }: Login): Caller => ({
  identifier: CONSOLE,
  role,
  fingerprint: createHash('sha256').update(`${CONSOLE}\0${person}`).digest('hex'),
  name: person,
  knownBy: by === 'certificate' ? 'certificate' : 'login',
});

/** A name from outside that may stand in the audit log; refuses any other. */
export function personName(name: unknown): string {
  if (typeof name !== 'string' || !/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,128}$/u.test(name))
    refuse('requesterNotAllowed', 'the login names nobody: 1 to 128 characters without control characters');
  return name;
}
