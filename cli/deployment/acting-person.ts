import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { openKeys, type Runtime } from '../../shared/runtime.ts';
import type { Person } from '../../shared/service/api/actor.ts';
import type { Guarded } from '../../shared/service/dual-control/actions.ts';
import type { Identity } from '../../shared/service/dual-control/administrators.ts';

type Deployment = Pick<Runtime, 'dualControl' | 'config'>;
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

/** Names the private key of whoever runs commands: a key URI (`pem:FILE`, `pkcs11:…`, `awskms:…`), or a PEM file. */
export const IDENTITY = 'SMDPF_IDENTITY';

/**
 * Work with a person by their own key, where the environment names one: a file, a token, or a key of KMS that the role of one
 * person may use. The registry of keys here is apart from the server's: a person's key has no part in its work.
 */
export async function withIdentity<Answer>(
  { dualControl, config }: Deployment,
  work: (identity: Identity | undefined) => Promise<Answer>,
  env: Environment = process.env,
): Promise<Answer> {
  const named = env[IDENTITY];
  if (named === undefined || named === '') return await work(undefined);
  const uri = /^[a-z0-9]+:/i.test(named) ? named : `pem:path=${resolve(named)}`;
  const registry = openKeys(config, { ...env, NODE_ENV: undefined });
  try {
    const { publicKey, sign } = await registry.openSigningKey(uri, 'delivery');
    return await work(
      await dualControl.administrators.identify({ publicKey, sign: (digest) => sign(digest) }, awsCaller),
    );
  } finally {
    await registry.close();
  }
}

/** A person by their own key where they have one, else by the account of the operating system. */
export const personOf = (deployment: Deployment, through: string): Promise<Person> =>
  withIdentity(deployment, async (identity) => personWith(through, identity));

/** A person by their identity, or by the account of the operating system. */
export const personWith = (through: string, identity: Identity | undefined): Person =>
  identity === undefined
    ? actingPerson(through)
    : { through, person: identity.name, knownBy: identity.knownBy };

/** The ARN of whose credentials of AWS this process has, as STS says it (GetCallerIdentity). */
async function awsCaller(): Promise<string> {
  const { callerIdentity } = await import('../aws/caller-identity.ts');
  return await callerIdentity();
}

/**
 * Does what may take two persons: at once where it does not, else where another one has agreed. `work` gets the person with
 * the name of the second one. What a crash stopped goes on under the same approval, which ends with the work.
 */
export async function underDualControl<Answer>(
  deployment: Deployment,
  by: Person,
  guarded: Guarded,
  work: (by: Person) => Promise<Answer>,
): Promise<Answer> {
  const { dualControl } = deployment;
  const begun = await withIdentity(deployment, (identity) => dualControl.begin(guarded, by, identity));
  const answer = await work(begun);
  await dualControl.finish(begun);
  return answer;
}
