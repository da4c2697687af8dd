import { untilDone } from '../concurrency.ts';
import { Fault } from '../errors.ts';
import type { Attributes, Condition, Item, ItemKey, Ledger, Write } from './ledger.ts';

/**
 * The one way to change what others change too: read, plan on what is there, write on condition that it still is,
 * and start over where somebody was faster. A plan may run several times: it decides, and leaves all that it changes
 * to the writes that it returns. What it throws ends the change.
 */

/** Nothing is to be written. */
export interface Unchanged<T> {
  readonly kind: 'unchanged';
  readonly value: T;
}

/** What becomes of one item, and what is written with it in the same transaction. */
export type ItemChange<T> =
  | {
      readonly kind: 'becomes';
      readonly attributes: Attributes;
      readonly value: T;
      readonly alongside: readonly Write[];
    }
  | { readonly kind: 'goes'; readonly value: T; readonly alongside: readonly Write[] };

export type ItemPlan<T> = Unchanged<T> | ItemChange<T>;

/** Writes that are done all or none. */
export interface Writes<T> {
  readonly kind: 'writes';
  readonly writes: readonly Write[];
  readonly value: T;
}

/** Nothing is to be changed; the caller gets `value`. */
export function unchanged(): Unchanged<undefined>;
export function unchanged<T>(value: T): Unchanged<T>;
export function unchanged(value?: unknown): Unchanged<unknown> {
  return { kind: 'unchanged', value };
}

/** The item is to have these attributes, whether or not it is there yet; the caller gets `value` once it has. */
export function becomes(attributes: Attributes): ItemChange<undefined>;
export function becomes<T>(attributes: Attributes, value: T, alongside?: readonly Write[]): ItemChange<T>;
export function becomes(
  attributes: Attributes,
  value?: unknown,
  alongside: readonly Write[] = [],
): ItemChange<unknown> {
  return { kind: 'becomes', attributes, value, alongside };
}

/** The item, which is there, is to be removed; the caller gets `value` once it is. */
export function goes(): ItemChange<undefined>;
export function goes<T>(value: T, alongside?: readonly Write[]): ItemChange<T>;
export function goes(value?: unknown, alongside: readonly Write[] = []): ItemChange<unknown> {
  return { kind: 'goes', value, alongside };
}

/** All of this is to be written, each under its own condition; the caller gets `value` once it is. */
export function writes(list: readonly Write[]): Writes<undefined>;
export function writes<T>(list: readonly Write[], value: T): Writes<T>;
export function writes(list: readonly Write[], value?: unknown): Writes<unknown> {
  return { kind: 'writes', writes: list, value };
}

/** The condition that an item is still as it was read. */
export const asRead = (item: Item | undefined): Condition =>
  item === undefined ? 'absent' : { revision: item.revision };

/** Changes one item by a plan that sees it as it is; with `alongside`, all in one transaction. */
export async function changeItem<T>(
  ledger: Ledger,
  key: ItemKey,
  plan: (item: Item | undefined) => ItemPlan<T> | Promise<ItemPlan<T>>,
): Promise<T> {
  return await changeItems(ledger, async () => {
    const item = await ledger.get(key);
    const planned = await plan(item);
    if (planned.kind === 'unchanged') return planned;
    return writes([writeOf(key, item, planned), ...planned.alongside], planned.value);
  });
}

/** Changes several items together, all or none, by a plan that reads for itself what it leans on. */
export async function changeItems<T>(
  ledger: Ledger,
  plan: () => Promise<Unchanged<T> | Writes<T>>,
): Promise<T> {
  return await untilDone(async () => {
    const planned = await plan();
    if (planned.kind === 'unchanged') return planned;
    const [first, ...others] = planned.writes;
    if (first === undefined) return planned;
    const { done } = others.length === 0 ? await ledger.write(first) : await ledger.transact(planned.writes);
    return done ? planned : undefined;
  }, changedTooFast);
}

/**
 * Changes an item for each of many elements, each by itself: those whose item somebody else changed are planned again
 * with what is there then. No two elements may have the same item.
 */
export async function changeEach<Element>(
  ledger: Ledger,
  elements: readonly Element[],
  keyOf: (element: Element) => ItemKey,
  plan: (item: Item | undefined, element: Element) => SoleItemPlan | Promise<SoleItemPlan>,
): Promise<void> {
  let open = elements;
  if (open.length === 0) return;
  await untilDone(async () => {
    const stored = await ledger.getMany(open.map(keyOf));
    const planned: { readonly element: Element; readonly write: Write }[] = [];
    for (const [i, element] of open.entries()) {
      const change = await plan(stored[i], element);
      if (change.kind === 'unchanged') continue;
      planned.push({ element, write: writeOf(keyOf(element), stored[i], change) });
    }
    const outcomes = await ledger.writeMany(planned.map(({ write }) => write));
    open = planned.flatMap(({ element }, i) => (outcomes[i]!.done ? [] : [element]));
    return open.length === 0 ? { value: undefined } : undefined;
  }, changedTooFast);
}

/** A plan for an item that is written by itself. */
type SoleItemPlan = Unchanged<undefined> | ItemChange<undefined>;

/** Removes an item if it is there. */
export async function removeItem(ledger: Ledger, key: ItemKey): Promise<void> {
  await changeItem(ledger, key, (item) => (item === undefined ? unchanged() : goes()));
}

/** Answered as 1.2/5.1: the same call may succeed later. */
export function changedTooFast(): never {
  throw new Fault('ledger', 'others changed the same items during every attempt', { retryable: true });
}

function writeOf(key: ItemKey, item: Item | undefined, change: ItemChange<unknown>): Write {
  if (change.kind === 'becomes') return { put: key, attributes: change.attributes, when: asRead(item) };
  if (item === undefined) throw new Fault('ledger', 'an item that is not there cannot be removed');
  return { remove: key, when: { revision: item.revision } };
}
