import { expect } from 'vitest';
import { Refusal } from '../../shared/errors.ts';
import type { StatusName } from '../../shared/status-codes.ts';

/** Asserts that `act` refuses with this code, and returns the refusal for further looks. */
export function expectRefusal(code: StatusName, act: () => unknown): Refusal {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
    const refusal = error as Refusal;
    expect(refusal.code).toBe(code);
    return refusal;
  }
  return expect.fail(`nothing was refused, ${code} expected`);
}

/** Runs `act`; a Refusal is an answer like any other, every other error is a failure of ours. */
export function onlyRefuses(act: () => unknown): 'accepted' | 'refused' {
  try {
    act();
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return 'refused';
    throw error;
  }
}

/** The refusal that this promise ends in. */
export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  const outcome = await promise.then(
    () => 'nothing was refused',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(Refusal);
  return outcome as Refusal;
}
