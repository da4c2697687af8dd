import { present } from '../../present.ts';
import type { OrderState, ProfileStatus } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { blockOf, ledgerKeys } from '../records/keys.ts';
import { extraPacks, type OrderRecord, packCount, packRecord } from '../records/order.ts';
import { transactionId } from '../records/transaction-id.ts';
import { type BlockView, viewBlock } from '../supply/draws.ts';

/** A profile with what a report tells of it beyond its status. */
export interface ProfileView extends ProfileStatus {
  readonly position: number;
  /** Milliseconds since 1970: when the state was reached, of states that are stored. */
  readonly at?: number;
  /** The result as the eUICC signed it. */
  readonly result?: Uint8Array;
  /** Of one that was bound. */
  readonly transactionId?: string;
}

/**
 * The profiles of an order by their place in lists: those ordered, then replacements that were made beyond them, each
 * in a pack of its own.
 */
export async function profileCount(
  { ledger }: Context,
  orderId: string,
  order: OrderRecord,
): Promise<number> {
  const extras = await ledger.get(ledgerKeys.orderExtras(orderId));
  return order.quantity + extraPacks(extras);
}

export function positionAt(order: OrderRecord, place: number): number {
  return place < order.quantity ? place : (packCount(order) + place - order.quantity) * order.packSize;
}

/** The states of the profiles at these places; one that is not prepared yet is left out. */
export async function* viewProfiles(
  context: Context,
  orderId: string,
  order: OrderRecord,
  orderState: OrderState,
  [start, end]: readonly [number, number],
): AsyncGenerator<ProfileView> {
  const ended = orderState === 'Cancelled' || orderState === 'Closed' || orderState === 'Rejected';
  let pack: { number: number; iccids: readonly string[] | undefined } | undefined;
  let block: { number: number; view: BlockView } | undefined;
  for (let place = start; place < end; place++) {
    const position = positionAt(order, place);
    const number = Math.floor(position / order.packSize);
    if (pack?.number !== number) {
      const item = await context.ledger.get(ledgerKeys.orderPack(orderId, number));
      pack = { number, iccids: item && packRecord.from(item).iccids };
    }
    const iccid = pack.iccids?.[position % order.packSize];
    if (iccid === undefined) continue;
    if (block?.number !== blockOf(position))
      block = { number: blockOf(position), view: await viewBlock(context, orderId, blockOf(position)) };
    yield { position, ...stateOf(block.view, position, iccid, ended) };
  }
}

function stateOf(
  view: BlockView,
  position: number,
  iccid: string,
  ended: boolean,
): Omit<ProfileView, 'position'> {
  const record = view.records.get(position);
  if (record !== undefined) {
    const { state, eid, detail, at, result, transactionId: transaction } = record;
    return {
      iccid,
      state,
      at,
      ...present({ eid, detail, result, transactionId: transaction }),
    };
  }
  const bound = view.bound.get(position);
  if (bound !== undefined)
    return {
      iccid,
      state: bound.delivered ? 'Delivered' : 'Bound',
      eid: bound.outcome.eid,
      transactionId: transactionId(bound.jobId, bound.index),
    };
  return { iccid, state: ended ? 'Closed' : 'Available' };
}
