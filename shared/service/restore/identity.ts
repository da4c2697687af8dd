import { Fault } from '../../errors.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { PpkVault, Vault } from '../../vault/vault.ts';
import { type IdentityRecord, identityRecord } from '../records/identity.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames, PPK_IDENTITY } from '../records/object-names.ts';

/** The stores of a deployment as far as this process has them. */
export interface OwnStores {
  /** The one below the guard. */
  readonly ledger?: Ledger | undefined;
  readonly vault?: Vault | undefined;
  readonly ppks?: PpkVault | undefined;
}

type AllStores = { readonly ledger: Ledger; readonly vault: Vault; readonly ppks: PpkVault };

export const STORE_NAMES = ['ledger', 'vault', 'ppks'] as const;
export type StoreName = (typeof STORE_NAMES)[number];

export type Identity = Pick<IdentityRecord, 'deployment' | 'address'>;

/** Who a deployment is by its configuration, and where its stores are, for messages. */
export interface Claimed extends Identity {
  readonly ledger: string;
  readonly vault: string;
  readonly ppks: string;
}

type Found = { readonly [Store in StoreName]: IdentityRecord | undefined };

const IN_WORDS = { ledger: 'ledger', vault: 'vault', ppks: 'PPK vault' } as const;

const WAY_OUT = {
  ledger: 'put it back from a backup with smdpf restore put',
  vault: 'put it back from a backup with smdpf restore put',
  ppks: 'where it is lost for good, smdpf restore freeze and smdpf restore run close the profiles that no eUICC has yet, and go on with an empty one',
} as const;

/**
 * A deployment knows itself (I12): each store says whose it is, and none is used that is another's or was left out.
 * At the first start of all, the identity is written in an order that may be cut off anywhere: the ledger names it as
 * begun, PPK vault and vault follow, and the ledger then names it as complete. Before that, nothing is in any store;
 * from then on a store without it is a store that is missing. A process that has not all of the stores looks at those
 * that it has, and leaves the first start to one that has.
 *
 * `mayLack` names what a command can do without, such as the PPK vault in a restore; what is there must be ours. `begin` comes
 * before anything is stored at the first start; it may run again.
 */
export async function requireIdentity(
  stores: OwnStores,
  claimed: Claimed,
  {
    mayLack = [],
    begin = async () => undefined,
  }: { readonly mayLack?: readonly StoreName[] | undefined; readonly begin?: () => Promise<void> } = {},
): Promise<void> {
  const found = await requireAllOwn(stores, claimed);
  const isBegun = found.ledger?.complete === false;
  const isKnown = found.ledger !== undefined || found.vault !== undefined || found.ppks !== undefined;
  if (isKnown && !isBegun) {
    for (const store of STORE_NAMES)
      if (stores[store] !== undefined && found[store] === undefined && !mayLack.includes(store))
        throw missing(store, claimed);
    return;
  }
  const { ledger, vault, ppks } = stores;
  if (ledger === undefined || vault === undefined || ppks === undefined) return;
  if (mayLack.length > 0) return;
  await begin();
  await establish({ ledger, vault, ppks }, claimed);
}

/** What each store says it is; undefined where it says nothing, or is not of this process. */
export async function readIdentities({ ledger, vault, ppks }: OwnStores): Promise<Found> {
  const [item, inVault, inPpks] = await Promise.all([
    ledger?.get(ledgerKeys.identity),
    vault && readObject(vault),
    ppks?.header(PPK_IDENTITY),
  ]);
  return {
    ledger: item && identityRecord.from(item),
    vault: inVault && identityRecord.fromObject(objectNames.identity, inVault),
    ppks: inPpks && identityRecord.fromObject(PPK_IDENTITY, inPpks),
  };
}

/** Gives a PPK vault that took the place of a lost one the identity of the deployment; may be repeated. */
export async function adoptPpks(ppks: PpkVault, who: Identity): Promise<void> {
  await ppks.putPack(PPK_IDENTITY, octetsOf(who), []);
}

async function establish({ ledger, vault, ppks }: AllStores, claimed: Claimed): Promise<void> {
  const begun = identityRecord.to({ ...whoIs(claimed), complete: false });
  await ledger.write({ put: ledgerKeys.identity, attributes: begun, when: 'absent' });
  await requireAllOwn({ ledger }, claimed);
  await adoptPpks(ppks, claimed);
  await vault.put(objectNames.identity, octetsOf(claimed), { lock: true });
  // another process may have been faster, of this deployment or of another
  await requireAllOwn({ ledger, vault, ppks }, claimed);
  const item = await ledger.get(ledgerKeys.identity);
  if (item === undefined || identityRecord.from(item).complete) return;
  await ledger.write({
    put: ledgerKeys.identity,
    attributes: identityRecord.to({ ...whoIs(claimed), complete: true }),
    when: { revision: item.revision },
  });
}

async function requireAllOwn(stores: OwnStores, claimed: Claimed): Promise<Found> {
  const found = await readIdentities(stores);
  for (const store of STORE_NAMES) requireOwn(store, found[store], claimed);
  return found;
}

const whoIs = ({ deployment, address }: Identity) => ({ deployment, address });
const octetsOf = (who: Identity) => identityRecord.toObject({ ...whoIs(who), complete: true });

async function readObject(vault: Vault) {
  const ref = await vault.head(objectNames.identity);
  return ref && (await vault.get(ref));
}

function requireOwn(store: StoreName, found: IdentityRecord | undefined, claimed: Claimed): void {
  if (found === undefined || found.deployment === claimed.deployment) return;
  throw new Fault(
    'configuration',
    `the ${IN_WORDS[store]} ${claimed[store]} belongs to deployment ${found.deployment}, the configuration to ${claimed.deployment}: name the folder, or the configuration, that belongs to it`,
  );
}

function missing(store: StoreName, claimed: Claimed): Fault {
  return new Fault(
    'configuration',
    `the ${IN_WORDS[store]} of deployment ${claimed.deployment} is missing: ${claimed[store]} is empty while the other stores are there; name the right folder, or ${WAY_OUT[store]}`,
  );
}
