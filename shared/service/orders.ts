import { createHash } from 'node:crypto';
import { checkIccid } from '../codec/iccid.ts';
import { Refusal, refuse } from '../errors.ts';
import { checkPolicy, type EligibilityPolicy } from '../euicc/eligibility.ts';
import type { Item, Write } from '../ledger/ledger.ts';
import { eligibilityNeeds } from '../profile/package/eligibility-needs.ts';
import type { StoreMetadataRequest } from '../rsp/store-metadata.ts';
import { auditWrite, canonicalJson } from './audit.ts';
import type { Context } from './context.ts';
import { viewBlock } from './draws.ts';
import { itemRefusal } from './item-refusal.ts';
import {
  finishOrder,
  metadataOf,
  PLACEHOLDER_ICCID,
  packCount,
  preparedPacks,
  preparePack,
  reserveIccids,
  templatePlace,
} from './order-packs.ts';
import { outputKeyOf } from './output-rows.ts';
import { destroyPackKeys } from './packs.ts';
import { compileRules } from './personalisation.ts';
import { BLOCK, blockOf, ledgerKeys } from './records/keys.ts';
import {
  type OrderRecord,
  type OrderStateRecord,
  orderRecord,
  orderStateRecord,
  packRecord,
} from './records/order.ts';
import { profileRecord } from './records/profile.ts';
import { seal } from './sealed.ts';
import type {
  Caller,
  ItemRefusal,
  OrderAnswer,
  OrderInput,
  OrderStatus,
  Orders,
  ProfileState,
  ProfileStatus,
} from './services.ts';
import { planRemoval } from './supply.ts';

const MAX_QUANTITY = 10_000_000;
/** ICCIDs that an answer lists, and profiles of a status page. */
const LISTED = 1_000;
/** Profiles of an order up to which every status answer counts all states. */
const COUNTED = 20_000;

/** ES2f: what the Operator orders, sees and takes back. */
export class OrderService implements Orders {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async prepareProfiles(caller: Caller, order: OrderInput): Promise<OrderAnswer> {
    const { ledger, vault, settings, now, dispatcher } = this.#context;
    const bodyHash = hashOf(order);
    const known = await ledger.get(ledgerKeys.order(order.orderId));
    if (known !== undefined) return await this.#repeat(caller, order.orderId, known, bodyHash);

    const { eligibility, personaliser } = await this.#check(order);
    const positions = Array.from({ length: Math.min(order.quantity, settings.inlineOrder) }, (_, i) => i);
    const { sealed, wrappedKey } = await seal(this.#context, order.template, templatePlace(order.orderId));
    const record: OrderRecord = {
      operator: caller.identifier,
      profileType: order.profileType,
      quantity: order.quantity,
      requesterDms: order.requesterDms,
      personalisation: order.personalisation,
      eligibility,
      metadata: order.metadata,
      ...(order.outputKey === undefined ? {} : { outputKey: order.outputKey }),
      ...(order.callbackUrl === undefined ? {} : { callbackUrl: order.callbackUrl }),
      bodyHash,
      template: await vault.put(`orders/${order.orderId}/template-${bodyHash.slice(0, 16)}`, sealed),
      templateKey: wrappedKey,
      packSize: settings.packSize,
      createdAt: now(),
    };
    // small orders learn of a taken ICCID before anything is stored, large ones pack by pack
    if (order.quantity <= settings.inlineOrder)
      await reserveIccids(this.#context, order.orderId, positions, personaliser);
    const { done } = await ledger.transact([
      { put: ledgerKeys.order(order.orderId), attributes: orderRecord.to(record), when: 'absent' },
      {
        put: ledgerKeys.orderState(order.orderId),
        attributes: orderStateRecord.to({ state: 'Preparing' }),
        when: 'absent',
      },
      {
        put: ledgerKeys.ordersOf(caller.identifier, order.orderId),
        attributes: { createdAt: record.createdAt },
        when: 'absent',
      },
      {
        put: ledgerKeys.openWork('order', order.orderId),
        attributes: { tasks: packCount(record) },
        when: 'absent',
      },
      auditWrite(
        {
          event: 'order.taken',
          by: caller.identifier,
          about: { order: order.orderId, quantity: order.quantity, body: bodyHash },
        },
        `order-${order.orderId}`,
        record.createdAt,
      ),
    ]);
    if (!done) return await this.prepareProfiles(caller, order);
    if (order.quantity <= settings.inlineOrder) {
      for (let pack = 0; pack < packCount(record); pack++)
        await preparePack(this.#context, order.orderId, pack);
      await finishOrder(this.#context, order.orderId);
    } else {
      await dispatcher.submit({ kind: 'order', id: order.orderId, tasks: packCount(record) });
    }
    return await this.#answer(order.orderId, record);
  }

  async #repeat(caller: Caller, orderId: string, item: Item, bodyHash: string): Promise<OrderAnswer> {
    const record = orderRecord.from(item);
    if (record.operator !== caller.identifier || record.bodyHash !== bodyHash) {
      refuse('requestChanged', 'the orderId was used before with another order', {
        subjectIdentifier: orderId,
      });
    }
    const state = await this.#state(orderId);
    if (state.record.state === 'Preparing') {
      await this.#context.dispatcher.submit({ kind: 'order', id: orderId, tasks: packCount(record) });
    }
    return await this.#answer(orderId, record);
  }

  /** Everything that can be wrong with an order, before anything of it is stored. */
  async #check(order: OrderInput) {
    if (!/^[\w.:-]{1,64}$/.test(order.orderId))
      refuse('orderInvalid', 'orderId has 1 to 64 letters, digits or . _ : -');
    if (!Number.isInteger(order.quantity) || order.quantity < 1 || order.quantity > MAX_QUANTITY) {
      refuse('orderInvalid', `quantity is 1 to ${MAX_QUANTITY}`);
    }
    if (order.requesterDms.length === 0)
      refuse('mandatoryElementMissing', 'requesterDms names no device manufacturer');
    if (order.callbackUrl !== undefined && !/^https?:\/\//.test(order.callbackUrl)) {
      refuse('orderInvalid', 'callbackUrl is an http or https URL');
    }
    checkPolicy(order.eligibility);
    if (order.outputKey !== undefined) await outputKeyOf(order.outputKey);
    if (order.personalisation.keys === 'generate' && order.outputKey === undefined) {
      refuse(
        'mandatoryElementMissing',
        'outputKey is needed with generated keys: who else would ever learn them?',
      );
    }
    const metadata = metadataOf(this.#context, order, PLACEHOLDER_ICCID);
    const personaliser = compileRules(
      order.template,
      order.personalisation,
      metadata.profileClass ?? 'operational',
      this.#context.random,
    );
    personaliser.values(order.quantity - 1);
    return { eligibility: completePolicy(order, metadata), personaliser };
  }

  async cancelOrder(
    caller: Caller,
    { orderId, iccid }: { orderId: string; iccid?: string },
  ): Promise<{
    cancelled: number;
    refused: readonly (ItemRefusal & { iccid: string })[];
  }> {
    const order = await this.#own(caller, orderId);
    if (iccid === undefined)
      return { cancelled: await this.#cancelRest(caller, orderId, order), refused: [] };
    try {
      await this.#cancelOne(caller, orderId, checkIccid(iccid));
      return { cancelled: 1, refused: [] };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { cancelled: 0, refused: [{ iccid, ...itemRefusal(error) }] };
    }
  }

  async #cancelOne(caller: Caller, orderId: string, iccid: string): Promise<void> {
    const { ledger, ppks, now } = this.#context;
    const owner = await ledger.get(ledgerKeys.iccid(iccid));
    if (owner?.attributes.orderId !== orderId)
      refuse('iccidUnknown', 'the order has no such ICCID', { subjectIdentifier: iccid });
    const position = Number(owner.attributes.position);
    const order = await this.#own(caller, orderId);
    for (;;) {
      const key = ledgerKeys.profile(orderId, position);
      const before = await ledger.get(key);
      if (before === undefined || profileRecord.from(before).state !== 'Closed') {
        const removal = await planRemoval(this.#context, orderId, position);
        if (removal === undefined)
          refuse('profileStateForbids', 'the profile is bound, or is being bound', {
            subjectIdentifier: iccid,
          });
        const { done } = await ledger.transact([
          ...removal,
          { put: key, attributes: profileRecord.to({ state: 'Closed', iccid, at: now() }), when: 'absent' },
          auditWrite(
            { event: 'profile.closed', by: caller.identifier, about: { order: orderId, iccid } },
            `closed-${iccid}`,
            now(),
          ),
        ]);
        if (!done) continue;
      }
      const pack = await ledger.get(ledgerKeys.orderPack(orderId, Math.floor(position / order.packSize)));
      if (pack !== undefined) await ppks.destroy(packRecord.from(pack).ppks, [position % order.packSize]);
      return;
    }
  }

  /** Closes what is not bound; in-flight chunks see the changed state at their commit and refuse their items. */
  async #cancelRest(caller: Caller, orderId: string, order: OrderRecord): Promise<number> {
    const { ledger, now } = this.#context;
    for (;;) {
      const { item, record } = await this.#state(orderId);
      if (record.state === 'Closed') refuse('orderExpired', 'the order is closed');
      if (record.state === 'Cancelled') break;
      const work = await ledger.get(ledgerKeys.openWork('order', orderId));
      const writes: Write[] = [
        {
          put: item,
          attributes: orderStateRecord.to({ state: 'Cancelled' }),
          when: { revision: item.revision },
        },
        auditWrite(
          { event: 'order.cancelled', by: caller.identifier, about: { order: orderId } },
          `order-cancelled-${orderId}`,
          now(),
        ),
        ...(work === undefined ? [] : [{ remove: work, when: { revision: work.revision } }]),
      ];
      if ((await ledger.transact(writes)).done) break;
    }
    let cancelled = order.quantity;
    for (let pack = 0; pack < packCount(order); pack++) {
      const item = await ledger.get(ledgerKeys.orderPack(orderId, pack));
      if (item !== undefined) await destroyPackKeys(this.#context, packRecord.from(item));
    }
    for (let block = 0; block * BLOCK < order.quantity; block++) {
      cancelled -= (await viewBlock(this.#context, orderId, block)).bound.size;
    }
    return cancelled;
  }

  async getOrderStatus(
    caller: Caller,
    { orderId, cursor, limit = LISTED }: { orderId: string; cursor?: string; limit?: number },
  ): Promise<OrderStatus> {
    const order = await this.#own(caller, orderId);
    const answer = await this.#answer(orderId, order);
    const start = cursor === undefined ? 0 : Number(cursor);
    if (!Number.isInteger(start) || start < 0)
      refuse('protocolFormat', 'the cursor is not one of this order');
    const end = Math.min(order.quantity, start + Math.max(1, Math.min(limit, LISTED)));
    const items: ProfileStatus[] = [];
    for await (const status of this.#profiles(orderId, order, answer.state, start, end)) items.push(status);
    const counts: Partial<Record<ProfileState, number>> = {};
    if (order.quantity <= COUNTED) {
      for await (const { state } of this.#profiles(orderId, order, answer.state, 0, order.quantity))
        counts[state] = (counts[state] ?? 0) + 1;
    }
    return { ...answer, counts, items, ...(end < order.quantity ? { cursor: String(end) } : {}) };
  }

  async getOrderOutput(
    caller: Caller,
    { orderId, pack }: { orderId: string; pack: number },
  ): Promise<{ packs: number; jwe: string }> {
    const order = await this.#own(caller, orderId);
    const packs = packCount(order);
    const item = await this.#context.ledger.get(ledgerKeys.orderPack(orderId, pack));
    const output = item && packRecord.from(item).output;
    if (output === undefined)
      refuse('orderUnknown', 'the order has no output rows for this pack', {
        subjectIdentifier: `${orderId}/${pack}`,
      });
    return { packs, jwe: Buffer.from(await this.#context.vault.get(output)).toString('utf8') };
  }

  async *#profiles(
    orderId: string,
    order: OrderRecord,
    orderState: string,
    start: number,
    end: number,
  ): AsyncGenerator<ProfileStatus> {
    const { ledger } = this.#context;
    const packs = new Map<number, readonly string[] | undefined>();
    for (let block = blockOf(start); block * BLOCK < end; block++) {
      const view = await viewBlock(this.#context, orderId, block);
      for (
        let position = Math.max(start, block * BLOCK);
        position < Math.min(end, (block + 1) * BLOCK);
        position++
      ) {
        const pack = Math.floor(position / order.packSize);
        if (!packs.has(pack)) {
          const item = await ledger.get(ledgerKeys.orderPack(orderId, pack));
          packs.set(pack, item && packRecord.from(item).iccids);
        }
        const iccid = packs.get(pack)?.[position % order.packSize];
        if (iccid === undefined) continue;
        const record = view.records.get(position);
        const bound = view.bound.get(position);
        if (record !== undefined) {
          const { eid, detail } = record;
          yield {
            iccid,
            state: record.state,
            ...(eid === undefined ? {} : { eid }),
            ...(detail === undefined ? {} : { detail }),
          };
        } else if (bound !== undefined) {
          yield { iccid, state: bound.delivered ? 'Delivered' : 'Bound', eid: bound.outcome.eid };
        } else
          yield {
            iccid,
            state: orderState === 'Cancelled' || orderState === 'Closed' ? 'Closed' : 'Available',
          };
      }
    }
  }

  async #answer(orderId: string, order: OrderRecord): Promise<OrderAnswer> {
    const { state } = (await this.#state(orderId)).record;
    const preparing = state === 'Preparing';
    const prepared = preparing
      ? Math.min(order.quantity, (await preparedPacks(this.#context, orderId)) * order.packSize)
      : order.quantity;
    const answer = { orderId, state, quantity: order.quantity, prepared };
    if (preparing || order.quantity > LISTED) return answer;
    const keys = Array.from({ length: packCount(order) }, (_, pack) => ledgerKeys.orderPack(orderId, pack));
    const packs = await this.#context.ledger.getMany(keys);
    return {
      ...answer,
      iccids: packs.flatMap((item) => (item === undefined ? [] : packRecord.from(item).iccids)),
    };
  }

  async #state(orderId: string): Promise<{ item: Item; record: OrderStateRecord }> {
    const item = await this.#context.ledger.get(ledgerKeys.orderState(orderId));
    if (item === undefined) refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
    return { item, record: orderStateRecord.from(item) };
  }

  /** An order of another Operator is as good as none. */
  async #own(caller: Caller, orderId: string): Promise<OrderRecord> {
    const item = await this.#context.ledger.get(ledgerKeys.order(orderId));
    const order = item && orderRecord.from(item);
    if (order === undefined || order.operator !== caller.identifier)
      refuse('orderUnknown', 'no such order', { subjectIdentifier: orderId });
    return order;
  }
}

/** What the Operator left open, from the profile itself. */
function completePolicy(order: OrderInput, metadata: StoreMetadataRequest): EligibilityPolicy {
  const needs = eligibilityNeeds(order.template);
  if (needs.unknownServices.length > 0) {
    refuse(
      'profileInvalid',
      `the template demands services that are not known here: ${needs.unknownServices.join(', ')}`,
    );
  }
  return {
    requiredCapabilities: needs.mandatoryServices,
    minNvm: needs.estimatedSize,
    ...order.eligibility,
    ...(metadata.profilePolicyRules === undefined ? {} : { profilePolicyRules: metadata.profilePolicyRules }),
  };
}

function hashOf({ template, ...order }: OrderInput): string {
  const templateHash = createHash('sha256').update(template).digest('hex');
  return createHash('sha256')
    .update(canonicalJson({ ...order, templateHash }))
    .digest('hex');
}
