import type { BillSnapshot } from './counted-stores.ts';

/**
 * List prices in US dollars of us-east-1 as known on 2026-11-22, without free tiers and discounts; other regions are
 * up to a fifth dearer. docs/cost.md names the pages to check them against.
 */
export const PRICES = {
  kmsSign: 0.15 / 10_000,
  kmsSymmetric: 0.03 / 10_000,
  ledgerWriteUnit: 0.625 / 1e6,
  ledgerReadUnit: 0.125 / 1e6,
  s3Write: 0.005 / 1_000,
  s3Read: 0.0004 / 1_000,
  lambdaGbSecond: 0.0000133334,
  stateTransition: 0.025 / 1_000,
  apiCall: 1 / 1e6,
  lambdaCall: 0.2 / 1e6,
} as const;

/** Seconds of a 1.77 GB Lambda for one profile: preparing, checking its eUICC, binding at 75 signatures a second. */
export const LAMBDA_SECONDS = 0.01 + 0.005 + 1 / 75;
export const LAMBDA_GB = 1769 / 1024;
/** Transitions of a child execution, for one chunk and one pack, and what they are shared by. */
export const TRANSITIONS_PER_PROFILE = (2 * 3) / 250;

/** Dollars for a million profiles, from what was counted for `profiles` of them. */
export function estimate(bills: readonly BillSnapshot[], signs: number, profiles: number): number {
  const stores = bills.reduce(
    (sum, bill) =>
      sum +
      (bill.ledgerWriteUnits + bill.ppkWriteUnits) * PRICES.ledgerWriteUnit +
      bill.readUnits * PRICES.ledgerReadUnit +
      bill.vaultWrites * PRICES.s3Write +
      (bill.vault - bill.vaultWrites) * PRICES.s3Read,
    0,
  );
  const running =
    LAMBDA_SECONDS * LAMBDA_GB * PRICES.lambdaGbSecond + TRANSITIONS_PER_PROFILE * PRICES.stateTransition;
  return 1e6 * ((stores + signs * PRICES.kmsSign) / profiles + running);
}

/** Seconds of Lambda that a call waits for its rounds, at 5 ms a table and 25 ms for the rest, and works itself. */
const CALL_SECONDS = 0.15;

/** Dollars for a million profiles that are bound one by one, each by a call: what stores and KMS take, and the rest apart. */
export function justInTimeDollars(
  bill: BillSnapshot,
  { signs, unwraps }: { readonly signs: number; readonly unwraps: number },
  calls: number,
): { readonly stores: number; readonly lambda: number; readonly api: number } {
  const stores =
    (bill.ledgerWriteUnits + bill.ppkWriteUnits) * PRICES.ledgerWriteUnit +
    bill.readUnits * PRICES.ledgerReadUnit +
    bill.vaultWrites * PRICES.s3Write +
    (bill.vault - bill.vaultWrites) * PRICES.s3Read +
    signs * PRICES.kmsSign +
    unwraps * PRICES.kmsSymmetric;
  return {
    stores: (1e6 * stores) / calls,
    lambda: 1e6 * (CALL_SECONDS * LAMBDA_GB * PRICES.lambdaGbSecond + PRICES.lambdaCall),
    api: 1e6 * PRICES.apiCall,
  };
}
