import { AsyncLocalStorage } from 'node:async_hooks';

/** Octets of one read; what is longer counts for several, as DynamoDB counts it. */
const READ_OCTETS = 4_096;

/** What one call has read so far of ledger and vault, where it is counted (I13). */
export class CallCost {
  reads = 0;
}

const ofCall = new AsyncLocalStorage<CallCost>();

/** Does the work of a call, and counts all that is read for it. */
export const counting = <T>(cost: CallCost, work: () => Promise<T>): Promise<T> => ofCall.run(cost, work);

/** A store has read so many octets, or looked for what is not there. */
export function countRead(octets: number): void {
  const cost = ofCall.getStore();
  if (cost !== undefined) cost.reads += Math.max(1, Math.ceil(octets / READ_OCTETS));
}
