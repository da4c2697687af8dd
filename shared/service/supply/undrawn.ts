import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type SupplyRecord, supplyRecord } from '../records/order.ts';

/** The positions of an order that were never drawn, and what a draw takes of them. */
export class UndrawnPositions {
  readonly #item: Item;
  readonly #end: number;
  #next: number;
  #taken: SupplyRecord['taken'];

  private constructor(item: Item) {
    const { next, end, taken } = supplyRecord.from(item);
    this.#item = item;
    this.#next = next;
    this.#end = end;
    this.#taken = taken;
  }

  /** Undefined of an order that is not prepared yet. */
  static async read(ledger: Ledger, orderId: string): Promise<UndrawnPositions | undefined> {
    const item = await ledger.get(ledgerKeys.orderSupply(orderId));
    return item && new UndrawnPositions(item);
  }

  /** How many there are. */
  get left(): number {
    const taken = this.#taken.reduce(
      (sum, [from, to]) => sum + Math.max(0, to - Math.max(from, this.#next)),
      0,
    );
    return this.#end - this.#next - taken;
  }

  /** Takes this position; false where it is not to be had. */
  take(position: number): boolean {
    if (position < this.#next || position >= this.#end || isTaken(this.#taken, position)) return false;
    this.#taken = takeOne(this.#taken, position);
    return true;
  }

  /** Takes the lowest; undefined where none is left. */
  takeNext(): number | undefined {
    for (let first = this.#taken[0]; first !== undefined && first[0] <= this.#next; first = this.#taken[0]) {
      this.#next = Math.max(this.#next, first[1]);
      this.#taken = this.#taken.slice(1);
    }
    return this.#next < this.#end ? this.#next++ : undefined;
  }

  /** On condition that nobody else has drawn meanwhile: every draw writes this. */
  write(): Write {
    const record: SupplyRecord = { next: this.#next, end: this.#end, taken: this.#taken };
    return {
      put: this.#item,
      attributes: supplyRecord.to(record),
      when: { revision: this.#item.revision },
    };
  }
}

const isTaken = (taken: SupplyRecord['taken'], position: number) =>
  taken.some(([from, to]) => position >= from && position < to);

/** Adds one position to ascending half-open runs, joining neighbours. */
function takeOne(taken: SupplyRecord['taken'], position: number): SupplyRecord['taken'] {
  const runs = [...taken, [position, position + 1] as const].sort((a, b) => a[0] - b[0]);
  const joined: (readonly [number, number])[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last !== undefined && last[1] === run[0]) joined[joined.length - 1] = [last[0], run[1]];
    else joined.push(run);
  }
  return joined;
}
