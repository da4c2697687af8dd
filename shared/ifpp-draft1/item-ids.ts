import { refuse } from '../errors.ts';

/** itemIds of which it is told at once whether one occurs twice: some 40 MB of memory. */
export const IDS_AT_ONCE = 1_000_000;

/**
 * itemIds of a request, of which none may occur twice. As long as they ascend, as most do, only their stretches without a gap are
 * kept; where they do not, each. Beyond `atOnce` of either it gives up, and leaves it to `firstTwice`.
 */
export class ItemIds {
  readonly #atOnce: number;
  /** First and last of each stretch, ascending; undefined once one did not ascend. */
  #stretches: number[] | undefined = [];
  #seen: Set<number> | undefined;

  constructor(atOnce: number = IDS_AT_ONCE) {
    this.#atOnce = atOnce;
  }

  /** False once there were too many to be kept: what was added since may occur twice. */
  get areAllKnown(): boolean {
    return this.#stretches !== undefined || this.#seen !== undefined;
  }

  add(itemId: number): void {
    const last = this.#stretches?.at(-1);
    if (last !== undefined && itemId <= last) this.#keepEach();
    if (this.#stretches !== undefined) this.#append(this.#stretches, itemId, last);
    else if (this.#seen !== undefined) this.#look(this.#seen, itemId);
  }

  #append(stretches: number[], itemId: number, last: number | undefined): void {
    if (last !== undefined && itemId === last + 1) stretches[stretches.length - 1] = itemId;
    else stretches.push(itemId, itemId);
    if (stretches.length > 2 * this.#atOnce) this.#stretches = undefined;
  }

  #look(seen: Set<number>, itemId: number): void {
    if (seen.has(itemId)) refuseTwice(itemId);
    seen.add(itemId);
    if (seen.size > this.#atOnce) this.#seen = undefined;
  }

  #keepEach(): void {
    const seen = new Set<number>();
    const stretches = this.#stretches ?? [];
    this.#stretches = undefined;
    for (let i = 0; i < stretches.length; i += 2)
      for (let itemId = stretches[i]!; itemId <= stretches[i + 1]!; itemId++) {
        if (seen.size === this.#atOnce) return;
        seen.add(itemId);
      }
    this.#seen = seen;
  }
}

/**
 * The itemId that occurs twice and whose second occurrence comes first, of so many items: a share of the itemIds at a time, each with
 * a walk of its own.
 */
export async function firstTwice(
  items: number,
  atOnce: number,
  walk: (items: number, each: (itemId: number, index: number) => void) => Promise<void>,
): Promise<number | undefined> {
  const shares = Math.ceil(items / atOnce);
  let [end, twice]: [number, number | undefined] = [items, undefined];
  for (let share = 0; share < shares; share++) {
    const seen = new Set<number>();
    await walk(end, (itemId, index) => {
      if (itemId % shares !== share || index >= end) return;
      if (seen.has(itemId)) [end, twice] = [index, itemId];
      else seen.add(itemId);
    });
  }
  return twice;
}

export function refuseTwice(itemId: number | undefined): void {
  if (itemId !== undefined) refuse('protocolFormat', `itemId ${itemId} occurs twice`);
}
