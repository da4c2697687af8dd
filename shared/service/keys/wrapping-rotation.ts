import { toHex } from '../../codec/bytes.ts';
import { Fault } from '../../errors.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Item, Write } from '../../ledger/ledger.ts';
import { scan } from '../../ledger/scan.ts';
import type { Actor } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { callbackClient, callbackClientRequest, callbackSigningKey } from '../records/callback-keys.ts';
import { wrappedUnder } from '../records/custody.ts';
import { keyTag, ledgerKeys, wrappedPartition } from '../records/keys.ts';
import { orderRecord, orderStateRecord, packRecord } from '../records/order.ts';
import { callbackKeyContext, packContext, templateContext } from '../records/wrap-contexts.ts';

/** What a pass did: data keys that moved, and those that are not stored yet, to be looked at again. */
export interface RewrapResult {
  readonly moved: number;
  readonly waiting: number;
  /** It was told to stop before the end: the next pass goes on. */
  readonly stopped: boolean;
}

export interface RewrapOptions {
  /** After each data key that moved. */
  readonly onMoved?: () => void;
  /** Asked before each data key: true ends the pass. */
  readonly stop?: () => boolean;
}

/** Milliseconds after a rotation from which on data keys that are still under the former key raise an alarm. */
const REWRAP_LATE_MS = 24 * 60 * 60_000;

/**
 * Moves data keys from former wrapping keys to the one in use. Each is moved by itself: its new form is stored, a
 * conditional write makes it count, the old form is destroyed. Stopping anywhere does no harm, a repeat goes on, and
 * any number of passes may run beside each other and beside all other work.
 */
export class WrappingRotation {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * A pass over everything under former keys that are not retired. Costs one read where there is none. What is left a
   * day after the rotation is told to the log as `alarm.key.rewrap`.
   */
  async rewrap({ onMoved = () => undefined, stop = () => false }: RewrapOptions = {}): Promise<RewrapResult> {
    const { uri: to, former } = await this.#context.keyAssignments.get('wrapping');
    let moved = 0;
    let waiting = 0;
    let stopped = false;
    for (const { uri: from, replacedAt, retiredAt } of former) {
      if (retiredAt !== undefined) continue;
      let movedFromHere = 0;
      let isLeft = false;
      try {
        for await (const item of this.#under(from)) {
          if (stopped || stop()) {
            stopped = true;
            isLeft = true;
            break;
          }
          if (!(await this.#move(item, to))) {
            waiting += 1;
            isLeft = true;
            continue;
          }
          movedFromHere += 1;
          onMoved();
        }
      } catch (error) {
        this.#tellIfLate(from, to, replacedAt);
        throw error;
      } finally {
        if (movedFromHere > 0) await this.#record(from, to, movedFromHere);
      }
      if (isLeft) this.#tellIfLate(from, to, replacedAt);
      moved += movedFromHere;
    }
    return { moved, waiting, stopped };
  }

  #tellIfLate(from: string, to: string, replacedAt: number): void {
    const late = this.#context.now() - replacedAt;
    if (late < REWRAP_LATE_MS) return;
    const hoursSinceRotation = Math.floor(late / 3_600_000);
    this.#context.log({ event: 'alarm.key.rewrap', from, to, hoursSinceRotation });
  }

  /** Data keys that are under this key. */
  async remaining(keyUri: string): Promise<number> {
    let count = 0;
    for await (const _ of this.#under(keyUri)) count += 1;
    return count;
  }

  /** Refuses while anything is under the key. Afterwards this server never asks for it again. */
  async retire(keyUri: string, by: Actor): Promise<void> {
    const left = await this.remaining(keyUri);
    if (left > 0)
      throw new Fault('configuration', `${left} data keys are still wrapped by this key; re-wrap them first`);
    await this.#context.keyAssignments.retire('wrapping', keyUri, by);
  }

  /** False if what the entry stands for is not stored yet. */
  async #move(entry: Item, to: string): Promise<boolean> {
    const { orderId, pack, callbackKey } = wrappedUnder.from(entry);
    const done =
      callbackKey !== undefined
        ? await this.#moveCallbackKey(callbackKey, entry.sort, to)
        : pack === undefined
          ? await this.#moveTemplate(orderId!, to)
          : await this.#movePack({ orderId: orderId!, pack }, entry.sort, to);
    if (done) await this.#context.ledger.write({ remove: entry, when: { revision: entry.revision } });
    return done;
  }

  /** The key in use and, of the client key, the one that waits for its certificate. */
  async #moveCallbackKey(name: 'signing' | 'client', entry: string, to: string): Promise<boolean> {
    const { ledger, dataKeys } = this.#context;
    const context = callbackKeyContext(name);
    const kinds =
      name === 'signing'
        ? [['signing', callbackSigningKey] as const]
        : [['client', callbackClient] as const, ['client-next', callbackClientRequest] as const];
    await dataKeys.note(to, entry, { callbackKey: name });
    let found = false;
    for (const [place, kind] of kinds)
      found =
        (await changeItem<boolean>(ledger, ledgerKeys.callbackKey(place), async (item) => {
          if (item === undefined) return unchanged(false);
          const wrappedKey = await dataKeys.rewrap(kind.from(item).wrappedKey, to, context);
          return wrappedKey === undefined
            ? unchanged(true)
            : becomes({ ...item.attributes, wrappedKey }, true);
        })) || found;
    return found;
  }

  async #moveTemplate(orderId: string, to: string): Promise<boolean> {
    const { ledger, dataKeys } = this.#context;
    return await changeItem<boolean>(ledger, ledgerKeys.order(orderId), async (item) => {
      if (item === undefined) return unchanged(false);
      const order = orderRecord.from(item);
      const templateKey = await dataKeys.rewrap(order.templateKey, to, templateContext(orderId));
      if (templateKey === undefined) return unchanged(true);
      await dataKeys.note(to, `${orderId}/template`, { orderId });
      return becomes(orderRecord.to({ ...order, templateKey }), true);
    });
  }

  async #movePack(
    place: { readonly orderId: string; readonly pack: number },
    name: string,
    to: string,
  ): Promise<boolean> {
    const { ledger, ppks, dataKeys } = this.#context;
    const { orderId, pack } = place;
    const item = await ledger.get(ledgerKeys.orderPack(orderId, pack));
    if (item === undefined) return !(await this.#isPreparing(orderId));
    const record = packRecord.from(item);
    const stored = record.dataKey === name ? await ppks.header(name) : undefined;
    if (stored !== undefined) {
      const rewrapped = await dataKeys.rewrap(stored, to, packContext(orderId, pack));
      if (rewrapped === undefined) return true;
      const dataKey = `${record.ppks}-key-${keyTag(to)}`;
      await dataKeys.note(to, dataKey, place);
      await ppks.putPack(dataKey, rewrapped, []);
      const attributes = packRecord.to({ ...record, dataKey });
      const { done } = await ledger.write({ put: item, attributes, when: { revision: item.revision } });
      // somebody else moved it: then their form counts, and ours is the same or an orphan of the next pass
      if (!done) return false;
    }
    // moved, destroyed with its order, or of an attempt that did not count
    await ppks.destroyPack(name);
    return true;
  }

  async #isPreparing(orderId: string): Promise<boolean> {
    const state = await this.#context.ledger.get(ledgerKeys.orderState(orderId));
    return state === undefined || orderStateRecord.from(state).state === 'Preparing';
  }

  async #record(from: string, to: string, moved: number): Promise<void> {
    const { ledger, now } = this.#context;
    const about = { from, to, dataKeys: moved };
    const line = { event: 'key.wrapping.rewrapped', by: 'server', about } as const;
    const write: Write = auditWrite(line, `rewrap-${keyTag(from)}-${toHex(this.#context.random(8))}`, now());
    await ledger.write(write);
  }

  /** The entries of data keys under this key. */
  #under(keyUri: string): AsyncGenerator<Item> {
    return scan(this.#context.ledger, wrappedPartition(keyUri));
  }
}
