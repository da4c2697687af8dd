import { call, type Schemas } from '../api/client.ts';

type Profile = Schemas['ProfileEntry'];

const PAGE = 200;
/** Pages that are kept: somebody who scrolls back sees them at once. */
const KEPT = 50;
/** Milliseconds that a place has to be looked at before it is asked for: whoever drags the bar passes thousands. */
const REST_MS = 60;

/** Pages of the profiles of an order, asked for as they come into view, the last ones kept. */
export class ProfilePages {
  readonly #orderId: string;
  readonly #onLoad: () => void;
  readonly #onError: (error: Error) => void;
  readonly #pages = new Map<number, readonly Profile[]>();
  readonly #underWay = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #control = new AbortController();

  constructor(orderId: string, onLoad: () => void, onError: (error: Error) => void) {
    this.#orderId = orderId;
    this.#onLoad = onLoad;
    this.#onError = onError;
  }

  at(position: number): Profile | undefined {
    return this.#pages.get(Math.floor(position / PAGE))?.[position % PAGE];
  }

  need(first: number, last: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) void this.#load(page);
    }, REST_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#control.abort();
    this.#control = new AbortController();
  }

  async #load(page: number): Promise<void> {
    if (this.#pages.has(page) || this.#underWay.has(page)) return;
    this.#underWay.add(page);
    const { signal } = this.#control;
    try {
      const { profiles } = await call(
        'ops.listProfiles',
        { orderId: this.#orderId, from: page * PAGE, limit: PAGE },
        { signal },
      );
      this.#pages.set(page, profiles);
      const [oldest] = this.#pages.keys();
      if (this.#pages.size > KEPT && oldest !== undefined) this.#pages.delete(oldest);
      this.#onLoad();
    } catch (error) {
      if (!signal.aborted) this.#onError(error as Error);
    } finally {
      this.#underWay.delete(page);
    }
  }
}
