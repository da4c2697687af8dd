import { COPIES } from '../../shared/service/records/keys.ts';

/** What AWS bills of a phase for one profile. */
export interface CountedPhase {
  /** Write units of the ledger's table: 1 per KB begun, 2 in a transaction. */
  readonly ledgerWriteUnits: number;
  readonly ppkWriteUnits: number;
  /** Of both tables: consistent, 4 KB. */
  readonly readUnits: number;
  /** Requests to S3, and those of them that write. */
  readonly vault: number;
  readonly vaultWrites: number;
  /** Signatures of KMS. */
  readonly signs: number;
}

/** Profiles of the order that is counted, eUICCs of its batch and items of its job. */
export const COUNTED_PROFILES = 1_000;

/**
 * Counted at the SDK by test/aws/calls-per-profile.test.ts, which fails where it counts something else. The tables of docs/cost.md
 * and the model of `npm run bench:scale` are made of these.
 */
export const COUNTED = {
  prepare: {
    ledgerWriteUnits: 1.219,
    ppkWriteUnits: 0.092,
    readUnits: 0.05,
    vault: 0.007,
    vaultWrites: 0.006,
    signs: 0,
  },
  register: {
    ledgerWriteUnits: 4.031,
    ppkWriteUnits: 0,
    readUnits: 0.015,
    vault: 0.005,
    vaultWrites: 0.001,
    signs: 0,
  },
  bind: {
    ledgerWriteUnits: 1.797,
    ppkWriteUnits: 0.084,
    readUnits: 2.313,
    vault: 0.02,
    vaultWrites: 0.011,
    signs: 1.001,
  },
} as const satisfies Readonly<Record<'prepare' | 'register' | 'bind', CountedPhase>>;

/** Write units of the ledger for opening an order, whatever its size: a mark in each of 32 partitions, in a transaction. */
export const OPENING_UNITS = 2 * COPIES;
