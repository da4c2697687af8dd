import { Refusal } from '../../errors.ts';
import { DamagedObject } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { readNewest } from '../life/checked-reads.ts';
import { CRLS } from '../records/object-names.ts';
import { Trust } from '../trust/trust.ts';
import { TrustAdministration } from '../trust/trust-administration.ts';

/**
 * Takes in what the vault has of revocation lists and a ledger from before them has not: whoever they revoked is bound nothing more
 * (I6). Each is held against its issuer as when it came, and counts behind no newer one. One whose issuer came with it, and is not
 * known otherwise, is for an administrator, whom the restore tells of each list that was taken in since.
 */
export async function restoreCrls(context: Context): Promise<void> {
  const administration = new TrustAdministration(context, new Trust(context));
  for await (const name of context.vault.names(CRLS)) {
    try {
      const der = await readNewest(context, name);
      if (der !== undefined) await administration.addCrl(der, [], 'restore');
    } catch (error) {
      // expired, of an issuer that is not known, or damaged, of which an alarm tells
      if (!(error instanceof Refusal || error instanceof DamagedObject)) throw error;
    }
  }
}
