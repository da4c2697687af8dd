import type { Operations } from '../api/operations.ts';
import type { Inventory } from '../api/ops.ts';
import type { Context } from '../context.ts';
import type { KeyInventory } from '../keys/key-inventory.ts';
import type { PartyService } from '../parties/parties.ts';
import type { Trust } from '../trust/trust.ts';
import type { TrustAdministration } from '../trust/trust-administration.ts';
import { InventoryService, type OfProcess } from './inventory.ts';
import { OperationsService } from './operations.ts';

/** What the services for people are made of. */
export interface ForPeople {
  readonly context: Context;
  readonly trust: Trust;
  readonly trustAdministration: TrustAdministration;
  readonly keyInventory: Pick<KeyInventory, 'list'>;
  readonly parties: PartyService;
  readonly ofProcess: OfProcess;
}

export const inventoryOf = ({ context, trust, keyInventory, ofProcess }: ForPeople): Inventory =>
  new InventoryService(context, trust, keyInventory, ofProcess);

export const operationsOf = ({ context, parties, trustAdministration }: ForPeople): Operations =>
  new OperationsService(context, parties, trustAdministration);
