import { randomUUID } from 'node:crypto';
import type { Item, Ledger, Write } from '../../ledger/ledger.ts';
import { scanAll } from '../../ledger/scan.ts';
import { present } from '../../present.ts';
import { LANE, orderPartition, RETURNED } from '../records/keys.ts';
import { returnedRecord } from '../records/order.ts';
import { giveBackToShare } from './shares.ts';

/** Short returned lists that are left side by side; more of them are joined, so that a draw can see them all. */
const SHORT_LISTS = 40;
/** Positions of a list that is no longer short. Joined lists stay far below the size of a ledger item. */
const LONG = 500;
/** Returned lists that one draw changes at most, and shares that it gives something back to: a transaction is bounded. */
const CHANGED_ITEMS = 60;

/** What refused items gave back, and what a draw takes of it. */
export class ReturnedPositions {
  readonly #orderId: string;
  readonly #drawer: string | undefined;
  readonly #lists: ReadonlyMap<Item, number[]>;
  readonly #changed = new Set<Item>();
  /** By device manufacturer: positions that were taken out of lanes of its share by others. */
  readonly #owed = new Map<string, number>();

  private constructor(orderId: string, items: readonly Item[], drawer?: string) {
    this.#orderId = orderId;
    this.#drawer = drawer;
    this.#lists = new Map(items.map((item) => [item, [...positionsOf(item)]]));
  }

  static async read(ledger: Ledger, orderId: string): Promise<ReturnedPositions> {
    return new ReturnedPositions(orderId, await readLists(ledger, orderId));
  }

  /** By this device manufacturer, or by nobody's count. */
  static async readForDraw(ledger: Ledger, orderId: string, drawer?: string): Promise<ReturnedPositions> {
    return new ReturnedPositions(orderId, await joinedLists(ledger, orderId), drawer);
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

  /** The same of lanes of the drawer's own share: what it takes there is counted in its share already. */
  takeFromOwnShare(fits: (position: number) => boolean): number | undefined {
    if (this.#drawer === undefined) return undefined;
    return this.#take((item) => sharerOf(item) === this.#drawer, fits);
  }

  #take(from: (item: Item) => boolean, fits: (position: number) => boolean): number | undefined {
    // of a lane of somebody's share two items change
    const isFull = this.#changed.size + this.#owed.size + 2 > CHANGED_ITEMS;
    const open = isFull ? this.#changed.values() : this.#lists.keys();
    for (const item of open) {
      if (!from(item)) continue;
      const positions = this.#lists.get(item)!;
      const at = positions.findIndex(fits);
      if (at < 0) continue;
      this.#changed.add(item);
      const sharer = sharerOf(item);
      if (sharer !== undefined && sharer !== this.#drawer)
        this.#owed.set(sharer, (this.#owed.get(sharer) ?? 0) + 1);
      return positions.splice(at, 1)[0];
    }
    return undefined;
  }

  writes(): Write[] {
    const lists = [...this.#changed].map((item): Write => {
      const when = { revision: item.revision };
      const positions = this.#lists.get(item)!;
      const { lane, spareFrom, sharer } = returnedRecord.from(item);
      // a lane that has counted something goes with its end
      if (positions.length === 0 && lane === undefined) return { remove: item, when };
      const attributes = returnedRecord.to({ positions, ...present({ lane, spareFrom, sharer }) });
      return { put: item, attributes, when };
    });
    const owed = [...this.#owed].map(([sharer, count]) =>
      giveBackToShare(this.#orderId, sharer, randomUUID(), count),
    );
    return [...lists, ...owed];
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

const sharerOf = (item: Item) => returnedRecord.from(item).sharer;

const positionsOf = (item: Item) => returnedRecord.from(item).positions;
