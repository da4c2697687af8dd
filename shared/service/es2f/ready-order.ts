import { wipe } from '../../codec/bytes.ts';
import { invariant } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { OrderRecord, RowIndex } from '../records/order.ts';
import { loadRowIndex } from './order-rows.ts';
import { compileFor, openTemplate } from './order-template.ts';
import { type Personaliser, ruleColumns } from './personalisation.ts';

/** An order whose packs are being made: what all of them need. */
export interface ReadyOrder {
  /** With a maker of its own, which makes the first profile the long way, or as well. */
  readonly personaliser: Personaliser;
  /** Of an order with rows. */
  readonly index: RowIndex | undefined;
}

/** What is kept lives so long after its last use: packs of one order follow each other at once. */
const KEPT_MS = 10_000;

interface Kept extends ReadyOrder {
  readonly template: string;
  readonly timer: NodeJS.Timeout;
}
const KEPT = new WeakMap<object, Kept>();

/**
 * Template and row index of an order made ready for one pack. Those of the order that a process worked at last are kept in
 * its memory for a while: opening and compiling a template takes as long as making fifty profiles, and the index has an
 * entry for every pack.
 */
export async function readyOrder(context: Context, orderId: string, order: OrderRecord): Promise<ReadyOrder> {
  const kept = KEPT.get(context);
  if (kept?.template === order.template.name) {
    kept.timer.refresh();
    const { maker } = kept.personaliser;
    const next = { ...kept, personaliser: { ...kept.personaliser, maker: maker.next() } };
    KEPT.set(context, next);
    return next;
  }
  const ready = await makeReady(context, orderId, order);
  clearTimeout(KEPT.get(context)?.timer);
  const timer = setTimeout(() => KEPT.delete(context), KEPT_MS);
  timer.unref();
  KEPT.set(context, { ...ready, template: order.template.name, timer });
  return ready;
}

async function makeReady(context: Context, orderId: string, order: OrderRecord): Promise<ReadyOrder> {
  const { personalisation } = order;
  const index = 'format' in personalisation ? await loadRowIndex(context, order) : undefined;
  const upp = await openTemplate(context, orderId, order);
  try {
    const columns = 'format' in personalisation ? index?.columns : ruleColumns(personalisation);
    invariant(columns !== undefined, `the rows of order ${orderId} were not checked`);
    return { personaliser: compileFor(context, order, upp, columns), index };
  } finally {
    wipe(upp);
  }
}
