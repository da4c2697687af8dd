import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import { LANE, orderPartition, RETURNED } from '../records/keys.ts';
import { returnedRecord } from '../records/order.ts';

/** Short returned lists that are left side by side; more of them are joined, so that a draw can see them all. */
const SHORT_LISTS = 40;
/** Positions of a list that is no longer short. Joined lists stay far below the size of a ledger item. */
const LONG = 500;
/** Returned lists that one draw changes at most: a transaction is bounded. */
const CHANGED_LISTS = 60;

/** What refused items gave back, and what a draw takes of it. */
export class ReturnedPositions {
  readonly #lists: ReadonlyMap<Item, number[]>;
  readonly #changed = new Set<Item>();

  private constructor(items: readonly Item[]) {
    this.#lists = new Map(items.map((item) => [item, [...positionsOf(item)]]));
  }

  static async read(ledger: Ledger, orderId: string): Promise<ReturnedPositions> {
    return new ReturnedPositions(await readLists(ledger, orderId));
  }

  static async readForDraw(ledger: Ledger, orderId: string): Promise<ReturnedPositions> {
    return new ReturnedPositions(await joinedLists(ledger, orderId));
  }

  has(position: number): boolean {
    return [...this.#lists.values()].some((positions) => positions.includes(position));
  }

  /** Takes this position; false where it was not given back. */
  take(position: number): boolean {
    const fits = (candidate: number) => candidate === position;
    return (this.takeAny(fits) ?? this.takeFromLanes(fits)) !== undefined;
  }

  /** Takes the first position that fits and that somebody gave back. */
  takeAny(fits: (position: number) => boolean): number | undefined {
    return this.#take((item) => !isLane(item), fits);
  }

  /** The same of positions that are laid out for just-in-time binding (lanes.ts): for who finds no others. */
  takeFromLanes(fits: (position: number) => boolean): number | undefined {
    return this.#take(isLane, fits);
  }

  #take(from: (item: Item) => boolean, fits: (position: number) => boolean): number | undefined {
    const open = this.#changed.size < CHANGED_LISTS ? this.#lists.keys() : this.#changed.values();
    for (const item of open) {
      if (!from(item)) continue;
      const positions = this.#lists.get(item)!;
      const at = positions.findIndex(fits);
      if (at < 0) continue;
      this.#changed.add(item);
      return positions.splice(at, 1)[0];
    }
    return undefined;
  }

  writes(): Write[] {
    return [...this.#changed].map((item) => {
      const when = { revision: item.revision };
      const positions = this.#lists.get(item)!;
      const { lane, spareFrom } = returnedRecord.from(item);
      // a lane that has counted something goes with its end
      return positions.length === 0 && lane === undefined
        ? { remove: item, when }
        : { put: item, attributes: returnedRecord.to({ positions, ...present({ lane, spareFrom }) }), when };
    });
  }
}

/** Read for a draw: where there are many short lists, some are joined into one first. */
async function joinedLists(ledger: Ledger, orderId: string): Promise<readonly Item[]> {
  // no bound on the attempts: whoever joined some, there are fewer lists at the next look
  for (;;) {
    const lists = await readLists(ledger, orderId);
    const short = lists.filter((item) => !isLane(item) && positionsOf(item).length < LONG);
    if (short.length <= SHORT_LISTS) return lists;
    const [first, ...others] = short.slice(0, SHORT_LISTS) as [Item, ...Item[]];
    const positions = [first, ...others].flatMap(positionsOf);
    await ledger.transact([
      { put: first, attributes: returnedRecord.to({ positions }), when: { revision: first.revision } },
      ...others.map((item): Write => ({ remove: item, when: { revision: item.revision } })),
    ]);
  }
}

/** A list for each chunk that gave positions back, and joined ones. */
const readLists = (ledger: Ledger, orderId: string) =>
  scanAll(ledger, orderPartition(orderId), { prefix: RETURNED });

const isLane = ({ sort }: Item) => sort.startsWith(LANE);

const positionsOf = (item: Item) => returnedRecord.from(item).positions;
