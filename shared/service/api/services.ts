import type { Administration, AuditTrail, Callbacks } from './admin.ts';
import type { Calls, Parties } from './caller.ts';
import type { Eligibility, Orders } from './es2f.ts';
import type { Notifications } from './es9plus.ts';
import type { DeletionStatements, Delivery, Reports } from './esbpp.ts';
import type { Ingest } from './esed1.ts';
import type { Operations } from './operations.ts';
import type { Inventory } from './ops.ts';
import type { Transfers } from './transfers.ts';

/**
 * The use cases of the SM-DPf as the handlers see them. Every method may be called again with the same input, at
 * once or years later, and answers alike (I4). A method refuses with `Refusal`; what concerns one item of many is in
 * the answer, never an exception.
 */
export interface Services {
  readonly parties: Parties;
  readonly calls: Calls;
  readonly orders: Orders;
  readonly eligibility: Eligibility;
  readonly ingest: Ingest;
  readonly delivery: Delivery;
  readonly reports: Reports & Notifications;
  readonly statements: DeletionStatements;
  readonly administration: Administration;
  readonly callbacks: Callbacks;
  readonly audit: AuditTrail;
  readonly transfers: Transfers;
  readonly inventory: Inventory;
  readonly operations: Operations;
}
