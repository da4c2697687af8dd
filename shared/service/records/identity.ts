import { type RecordOf, recordOf } from './record.ts';
import { flag, text } from './schema.ts';

/** Which deployment a store belongs to; in ledger, vault and PPK vault alike (service/restore/identity.ts). */
export const identityRecord = recordOf('deployment identity', {
  /** As the configuration has it: RuntimeConfig.deployment. */
  deployment: text,
  /** FQDN of the SM-DPf, so that a lost configuration can be made again. */
  address: text,
  /** In the ledger: false until the other stores have the identity too. In those: true. */
  complete: flag,
});

export type IdentityRecord = RecordOf<typeof identityRecord>;
