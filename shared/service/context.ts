import type { Bytes } from '../codec/bytes.ts';
import type { SuiteName } from '../crypto/suite.ts';
import type { Log } from '../events/log-events.ts';
import type { Dispatcher } from '../jobs/dispatcher.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { Destinations } from '../net/destinations.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { PpkVault, Vault } from '../vault/vault.ts';
import type { DataKeys } from './custody/data-keys.ts';
import type { KeyAssignments } from './custody/key-assignments.ts';
import type { KeyRing } from './custody/key-ring.ts';

/** What every use case leans on: the ports, a clock and randomness. Built once, in shared/runtime.ts. */
export interface Context {
  readonly ledger: Ledger;
  readonly vault: Vault;
  readonly ppks: PpkVault;
  readonly keyRing: KeyRing;
  readonly keyAssignments: KeyAssignments;
  readonly dataKeys: DataKeys;
  readonly dispatcher: Dispatcher;
  readonly notifier: Notifier;
  readonly settings: Settings;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: (octets: number) => Bytes;
  /** One line of the operator's log; identifiers and codes only. */
  readonly log: Log;
}

export interface Settings {
  /** Name of this deployment, fixed at its first start: job and transaction IDs follow from it. */
  readonly deployment: string;
  /** FQDN of this SM-DPf: notificationAddress of the profiles and dpAddress of the field interface. */
  readonly address: string;
  /** Items of a chunk: bound, committed and delivered together. */
  readonly chunkSize: number;
  /** Profiles of a pack: protected and committed together. */
  readonly packSize: number;
  /** Raw octets of an answer that still goes inline; larger ones are fetched part by part. */
  readonly inlineLimit: number;
  /** Chunks of a job whose parts one manifest names, and chunks of a page where they are more. */
  readonly manifest: { readonly whole: number; readonly page: number };
  /** Orders up to this quantity are prepared within the call. */
  readonly inlineOrder: number;
  /** Rows of a large order that one task checks, in whole blocks. */
  readonly rowSlice: number;
  /** Items of a large request that are planned at once, in whole chunks. */
  readonly requestSlice: number;
  /** Items of a report that is verified within the call; of a larger one, slices of at most so many are tasks. */
  readonly inlineReport: number;
  /** What a party may have of uploads at once, from the grant on. */
  readonly uploads: { readonly count: number; readonly octets: number };
  /** Signatures under way at once while a chunk is bound. */
  readonly signConcurrency: number;
  /** Suites that are proposals, and allowed here. */
  readonly draftSuites: readonly SuiteName[];
  /** Where callbacks and revocation lists may lead. */
  readonly destinations: Destinations;
  /** Identifier that the SM-DPf uses as hostId in the key agreement (SGP.22 CRT, 1 to 16 octets). */
  readonly hostId: Bytes;
}

export const DEFAULT_SETTINGS = {
  chunkSize: 250,
  packSize: 250,
  inlineLimit: 3_000_000,
  manifest: { whole: 64, page: 64 },
  inlineOrder: 1_000,
  rowSlice: 4_000,
  requestSlice: 8_000,
  inlineReport: 1_000,
  uploads: { count: 64, octets: 8 * 1024 ** 3 },
  signConcurrency: 16,
  draftSuites: [],
  destinations: new Destinations(),
} as const;
