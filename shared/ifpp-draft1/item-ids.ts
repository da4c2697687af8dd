import { refuse } from '../errors.ts';

const FIRST_CAPACITY = 1_024;

/** itemIds of a request, of which none may occur twice. As long as they ascend, as most do, eight octets are kept of each. */
export class ItemIds {
  #ids = new Float64Array(FIRST_CAPACITY);
  #count = 0;
  /** Once one did not ascend. */
  #seen: Set<number> | undefined;

  add(itemId: number): void {
    if (this.#seen === undefined && this.#count > 0 && itemId <= this.#ids[this.#count - 1]!)
      this.#seen = new Set(this.#ids.subarray(0, this.#count));
    if (this.#seen?.has(itemId)) refuse('protocolFormat', `itemId ${itemId} occurs twice`);
    if (this.#seen !== undefined) {
      this.#seen.add(itemId);
      return;
    }
    if (this.#count === this.#ids.length) {
      const more = new Float64Array(2 * this.#count);
      more.set(this.#ids);
      this.#ids = more;
    }
    this.#ids[this.#count++] = itemId;
  }
}
