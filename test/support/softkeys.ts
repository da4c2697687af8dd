import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Bytes } from '../../shared/codec/bytes.ts';
import type { KeyAlgorithm, KeyRole } from '../../shared/keys/provider.ts';
import type { KeyRegistry } from '../../shared/keys/registry.ts';

/** Of every softkey file that the tests of this process share. */
export const PASSPHRASE = randomBytes(32).toString('hex');

const made = new Map<string, Bytes>();

/**
 * The `number`-th key of an algorithm and a role in a softkey file of its own. Each is made once per process, and written
 * as it is for the next deployment: RSA takes its time, and so does the scrypt that a file is sealed with.
 */
export async function sharedSoftkey(
  keys: KeyRegistry,
  uri: string,
  algorithm: KeyAlgorithm,
  role: KeyRole,
  number = 0,
): Promise<void> {
  const file = /^softkey:path=(.*)$/.exec(uri)?.[1];
  const name = `${algorithm} ${role} ${number}`;
  const known = made.get(name);
  if (file !== undefined && known !== undefined) return await writeFile(file, known, { mode: 0o600 });
  await keys.generate(uri, algorithm, role);
  if (file !== undefined) made.set(name, await readFile(file));
}
