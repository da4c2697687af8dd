import { createHash } from 'node:crypto';
import { Fault } from '../../errors.ts';
import type { ObjectRef, Vault } from '../../vault/vault.ts';
import { type Finding, inVault } from './finding.ts';

/** What the octets of an object are against its reference; nothing is held in memory. */
export async function checkObject(vault: Vault, ref: ObjectRef, what: string): Promise<Finding[]> {
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of vault.getStream(ref)) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    if (!(error instanceof Fault) || error.retryable) throw error;
    return [inVault(ref.name, `${what} is missing or damaged: ${error.message}`)];
  }
  return size === ref.size && hash.digest('hex') === ref.sha256
    ? []
    : [inVault(ref.name, `${what} has other octets than its record says`)];
}

/** The octets of the newest version under a name, or a finding. */
export async function readNewest(vault: Vault, name: string, what: string) {
  try {
    const ref = await vault.head(name);
    if (ref === undefined) return { finding: inVault(name, `${what} is missing`) };
    return { octets: await vault.get(ref) };
  } catch (error) {
    if (!(error instanceof Fault) || error.retryable) throw error;
    return { finding: inVault(name, `${what} is damaged: ${error.message}`) };
  }
}

/** The octets of an object as its record names it, or a finding. */
export async function readWhole(vault: Vault, ref: ObjectRef, what: string) {
  const [finding] = await checkObject(vault, ref, what);
  return finding === undefined ? { octets: await vault.get(ref) } : { finding };
}
