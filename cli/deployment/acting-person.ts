import { userInfo } from 'node:os';
import type { Person } from '../../shared/service/api/actor.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The person who runs a command, for the audit log: the account of the operating system, and under sudo the one that it was
 * called from. Whoever administers the machine can be any of them; a name that others can rely on needs a key of its own.
 */
export function actingPerson(through: string, env: Environment = process.env): Person {
  return { through, person: account(env), knownBy: 'osUser' };
}

function account({ SUDO_USER }: Environment): string {
  const own = accountName();
  return own === 'root' && SUDO_USER !== undefined && SUDO_USER !== '' ? SUDO_USER : own;
}

/** A process in a container may have a number and no name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
