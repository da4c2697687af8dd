import { randomUUID } from 'node:crypto';
import type { Bytes } from '../../codec/bytes.ts';
import { refuse } from '../../errors.ts';
import type { Item } from '../../ledger/ledger.ts';
import { present } from '../../present.ts';
import type { Caller } from '../api/caller.ts';
import type { OrderAnswer, OrderInput, OrderStatus, Orders, ProfileStatus } from '../api/es2f.ts';
import { auditWrite } from '../audit/line.ts';
import { callbackHealth } from '../callbacks/health.ts';
import type { Context } from '../context.ts';
import { orderStock } from '../counts/order-stock.ts';
import { seal } from '../keys/sealed.ts';
import { type Attempt, abandonAttempt, beginAttempt } from '../life/attempts.ts';
import { readWhole } from '../life/checked-reads.ts';
import { uploadInUse } from '../life/uploads.ts';
import { ledgerKeys } from '../records/keys.ts';
import { objectNames } from '../records/object-names.ts';
import { type OrderRecord, orderRecord, packCount, packRecord } from '../records/order.ts';
import { openWorkOf, openWorkRecord } from '../records/work.ts';
import { PREPARING } from '../records/work-kinds.ts';
import { loadOrderState, newOrderWrites, ownOrder } from '../supply/own-order.ts';
import { cancelOrder, closeOrder, releaseProfile } from './order-changes.ts';
import { type CheckedOrder, checkOrderInput, hashOf } from './order-check.ts';
import { closingOf } from './order-closing.ts';
import { requireNoForeignIccid } from './order-iccids.ts';
import { preparePack } from './order-packs.ts';
import { finishOrder, firstWork } from './order-preparation.ts';
import { profileCount, viewProfiles } from './order-profiles.ts';
import { replaceProfile } from './order-replacement.ts';
import { orderReport, readCursor, serverKeys } from './order-report.ts';
import { storeRowIndex } from './order-rows.ts';
import { templatePlace } from './order-template.ts';
import { destroyOrderUploads, destroyTemplateUpload, readTemplate } from './order-uploads.ts';
import { ruleRow } from './personalisation.ts';

/** ICCIDs that an answer lists, and profiles of a status page. */
const LISTED = 1_000;

/** ES2f: what the Operator orders, sees and takes back. */
export class OrderService implements Orders {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async prepareProfiles(caller: Caller, order: OrderInput): Promise<OrderAnswer> {
    const { ledger, settings, dispatcher } = this.#context;
    const { orderId } = order;
    const bodyHash = hashOf(order);
    const known = await ledger.get(ledgerKeys.order(orderId));
    if (known !== undefined) return await this.#repeat(caller, orderId, known, bodyHash);

    const template = await readTemplate(this.#context, order);
    const checked = await checkOrderInput(this.#context, { ...order, template });
    const attempt = randomUUID();
    const written = await this.#begin(orderId, attempt);
    const record = await this.#store(caller, order, { template, bodyHash, checked, attempt });
    if (checked.rowIndex !== undefined) await storeRowIndex(this.#context, record, checked.rowIndex);
    const work = firstWork(orderId, record, checked.rowIndex !== undefined);
    const { done } = await ledger.transact([
      ...newOrderWrites(orderId, record),
      written.settled,
      ...(await uploadInUse(this.#context, caller.identifier, record.rows)),
      {
        put: ledgerKeys.openWork(work.kind, orderId),
        attributes: openWorkRecord.to({ tasks: work.tasks, since: record.createdAt }),
        when: 'absent',
      },
      auditWrite(
        {
          event: 'order.taken',
          by: caller.identifier,
          about: { order: orderId, quantity: order.quantity, body: bodyHash },
        },
        `order-${orderId}`,
        record.createdAt,
      ),
    ]);
    if (!done) {
      await abandonAttempt(this.#context, written);
      return await this.prepareProfiles(caller, order);
    }
    await destroyTemplateUpload(this.#context, record);
    if (order.quantity <= settings.inlineOrder) {
      for (let pack = 0; pack < packCount(record); pack++) await preparePack(this.#context, orderId, pack);
      await finishOrder(this.#context, orderId);
    } else {
      await dispatcher.submit(work);
    }
    return await this.#answer(orderId, record);
  }

  cancelOrder: Orders['cancelOrder'] = (caller, input) => cancelOrder(this.#context, caller, input);
  closeOrder: Orders['closeOrder'] = (caller, input) => closeOrder(this.#context, caller, input);
  releaseProfile: Orders['releaseProfile'] = (caller, input) => releaseProfile(this.#context, caller, input);
  replaceProfile: Orders['replaceProfile'] = (caller, input) => replaceProfile(this.#context, caller, input);
  getOrderReport: Orders['getOrderReport'] = (caller, input) => orderReport(this.#context, caller, input);
  getServerKeys: Orders['getServerKeys'] = (caller) => serverKeys(this.#context, caller);

  async getOrderStatus(
    caller: Caller,
    { orderId, cursor, limit = LISTED }: { orderId: string; cursor?: string; limit?: number },
  ): Promise<OrderStatus> {
    const order = await ownOrder(this.#context, caller, orderId);
    const answer = await this.#answer(orderId, order);
    const count = await profileCount(this.#context, orderId, order);
    const start = readCursor(cursor, count);
    const end = Math.min(count, start + Math.max(1, Math.min(limit, LISTED)));
    const items: ProfileStatus[] = [];
    const view = (range: readonly [number, number]) =>
      viewProfiles(this.#context, orderId, order, answer.state, range);
    for await (const { iccid, state, eid, detail } of view([start, end]))
      items.push({
        iccid,
        state,
        ...present({ eid, detail }),
      });
    const { counts } = await orderStock(this.#context.ledger, orderId, answer.state);
    const callbacks =
      order.callbackUrl === undefined ? undefined : await callbackHealth(this.#context, orderId);
    const closing = await closingOf(this.#context, orderId, answer.state);
    return {
      ...answer,
      counts,
      items,
      ...present({ callbacks, closing }),
      ...(end < count && { cursor: String(end) }),
    };
  }

  async getOrderOutput(
    caller: Caller,
    { orderId, pack }: { orderId: string; pack: number },
  ): Promise<{ packs: number; jwe: string }> {
    const { ledger } = this.#context;
    const order = await ownOrder(this.#context, caller, orderId);
    const item = await ledger.get(ledgerKeys.orderPack(orderId, pack));
    const output = item && packRecord.from(item).output;
    if (output === undefined)
      refuse('orderUnknown', 'the order has no output rows for this pack', {
        subjectIdentifier: `${orderId}/${pack}`,
      });
    const extras = (await profileCount(this.#context, orderId, order)) - order.quantity;
    return {
      packs: packCount(order) + extras,
      jwe: Buffer.from(await readWhole(this.#context, output)).toString('utf8'),
    };
  }

  async #repeat(caller: Caller, orderId: string, item: Item, bodyHash: string): Promise<OrderAnswer> {
    const record = orderRecord.from(item);
    if (record.operator !== caller.identifier || record.bodyHash !== bodyHash) {
      refuse('requestChanged', 'the orderId was used before with another order', {
        subjectIdentifier: orderId,
      });
    }
    let isOpen = false;
    for (const kind of PREPARING) {
      const work = await this.#context.ledger.get(ledgerKeys.openWork(kind, orderId));
      if (work === undefined) continue;
      isOpen = true;
      await this.#context.dispatcher.submit(openWorkOf(work));
    }
    if (!isOpen) await destroyOrderUploads(this.#context, record);
    return await this.#answer(orderId, record);
  }

  /** What taking the order on writes before there is an order. */
  #begin(orderId: string, attempt: string): Promise<Attempt> {
    const template = objectNames.template(orderId, attempt);
    const objects = [objectNames.rows(orderId, attempt), template, objectNames.rowIndex(template)];
    return beginAttempt(this.#context, 'order', attempt, { objects, holder: ledgerKeys.order(orderId) });
  }

  /** The order's record, once template and rows are in the vault. Small orders learn here of ICCIDs that are taken. */
  async #store(
    caller: Caller,
    order: OrderInput,
    taken: { template: Bytes; bodyHash: string; checked: CheckedOrder; attempt: string },
  ): Promise<OrderRecord> {
    const { vault, settings, now } = this.#context;
    const { template, bodyHash, attempt, checked } = taken;
    const { eligibility, packSize, warnings } = checked;
    const { orderId, personalisation, rows } = order;
    if (order.quantity <= settings.inlineOrder && !('format' in personalisation)) {
      const given = Array.from({ length: order.quantity }, (_, i) => ({
        number: i + 1,
        values: ruleRow(personalisation, i),
      }));
      await requireNoForeignIccid(this.#context, orderId, given);
    }
    const { sealed, wrappedKey } = await seal(this.#context, template, templatePlace(orderId));
    const storedRows =
      rows instanceof Uint8Array ? await vault.put(objectNames.rows(orderId, attempt), rows) : rows;
    return {
      operator: caller.identifier,
      profileType: order.profileType,
      quantity: order.quantity,
      requesterDms: order.requesterDms,
      ...present({ shares: order.shares }),
      personalisation,
      ...present({ rows: storedRows }),
      eligibility,
      metadata: order.metadata,
      ...present({
        outputKey: order.outputKey,
        callbackUrl: order.callbackUrl,
        callbackCa: order.callbackCa,
        callbackBatch: order.callbackBatch,
      }),
      bodyHash,
      template: await vault.put(objectNames.template(orderId, attempt), sealed),
      templateKey: wrappedKey,
      ...(!(order.template instanceof Uint8Array) && { templateUpload: order.template }),
      packSize,
      warnings,
      createdAt: now(),
    };
  }

  async #answer(orderId: string, order: OrderRecord): Promise<OrderAnswer> {
    const { state, reason } = (await loadOrderState(this.#context, orderId)).record;
    const preparing = state === 'Preparing';
    const prepared = preparing
      ? (await orderStock(this.#context.ledger, orderId, state)).prepared
      : state === 'Rejected'
        ? 0
        : order.quantity;
    const answer = {
      orderId,
      state,
      quantity: order.quantity,
      prepared,
      ...(order.warnings.length !== 0 && { warnings: order.warnings }),
      ...present({ reason }),
    };
    if (preparing || state === 'Rejected' || order.quantity > LISTED) return answer;
    const keys = Array.from({ length: packCount(order) }, (_, pack) => ledgerKeys.orderPack(orderId, pack));
    const packs = await this.#context.ledger.getMany(keys);
    return {
      ...answer,
      iccids: packs.flatMap((item) => (item === undefined ? [] : packRecord.from(item).iccids)),
    };
  }
}
