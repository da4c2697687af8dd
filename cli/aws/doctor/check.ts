import type { SignedCalls } from '../signed-calls.ts';
import type { DeployedStack } from '../stack-description.ts';

/** `unchecked`: not checkable here, such as on an emulator, or without a certificate to call with. */
export type Verdict = 'good' | 'bad' | 'unchecked';

export interface Finding {
  readonly verdict: Verdict;
  /** What was seen. */
  readonly says: string;
  /** What to do, where the verdict is bad. */
  readonly wayOut?: string;
}

export interface Checked extends Finding {
  readonly check: string;
}

/** What checks look with. */
export interface Looking {
  readonly stack: DeployedStack;
  readonly calls: SignedCalls;
  /** PEM of a client certificate that the truststore lets in, and of its key. */
  readonly client?: { readonly cert: string; readonly key: string };
}

export interface Check {
  readonly name: string;
  /** Why an emulator cannot tell; it is then not asked. */
  readonly notOnEmulator?: string;
  /** What is wrong where the check itself cannot be made. */
  readonly wayOut: string;
  readonly look: (looking: Looking) => Promise<Finding>;
}

export const good = (says: string): Finding => ({ verdict: 'good', says });
export const bad = (says: string, wayOut: string): Finding => ({ verdict: 'bad', says, wayOut });
export const unchecked = (why: string): Finding => ({
  verdict: 'unchecked',
  says: `not checkable here: ${why}`,
});

/** One check after the other; one that cannot be made is bad, and stops no other. */
export async function* examine(checks: readonly Check[], looking: Looking): AsyncGenerator<Checked> {
  for (const { name, notOnEmulator, wayOut, look } of checks) {
    const emulated = looking.stack.description.target === 'emulator';
    if (emulated && notOnEmulator !== undefined) yield { check: name, ...unchecked(notOnEmulator) };
    else
      yield { check: name, ...(await look(looking).catch((error: unknown) => bad(inWords(error), wayOut))) };
  }
}

const inWords = (error: unknown): string => {
  const { name, message } = error as Error;
  return message === '' ? name : `${name}: ${message}`;
};
