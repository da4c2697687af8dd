import type { KnownBy } from '../records/audit.ts';
import type { Caller } from './caller.ts';

/**
 * A person who acts, named beside the door through which they came.
 *
 * - `osUser`: the account of the operating system, which the machine's own administrator can be anybody with;
 * - `key`: a registered administrator, who has shown the private key;
 * - `certificate`: a client certificate of the party register;
 * - `login`: a login of the console;
 * - `awsRole`: the principal that AWS STS names.
 */
export interface Person {
  /** `cli`, `administrator`, `console`, or the functionRequesterIdentifier of a caller: `by` of the audit log. */
  readonly through: string;
  readonly person: string;
  readonly knownBy: KnownBy;
  /** The second administrator, of an action under dual control. */
  readonly approvedBy?: string | undefined;
  /** The approval under which it is done; see dual-control/dual-control.ts. */
  readonly approval?: string | undefined;
}

/** Who does something, for the audit log: a party, or a part of this server, by its name alone; or a person. */
export type Actor = string | Person;

/** The door, as `by` of the audit log has it. */
export const doorOf = (actor: Actor): string => (typeof actor === 'string' ? actor : actor.through);

/** The person who calls; a certificate that the register has no name for is known by its fingerprint. */
export const personOf = ({ identifier, name, fingerprint, knownBy = 'certificate' }: Caller): Person => ({
  through: identifier,
  person: name ?? `certificate ${fingerprint}`,
  knownBy,
});

/** A party, for what it does with its own; behind an administrator there is a person. */
export const actorOf = (caller: Caller): Actor =>
  caller.role === 'administrator' ? personOf(caller) : caller.identifier;
