import { changeItem, unchanged } from '../../ledger/change.ts';
import type { Item } from '../../ledger/ledger.ts';
import type { Courier, PreparedCall } from '../../notify/notifier.ts';
import { type CallbackMessage, type PostCallback, withPublicCas } from '../../notify/post.ts';
import { present } from '../../present.ts';
import { retiredDeliveryKeys } from '../keys/delivery-keys.ts';
import { callOfNotice, ledgerKeys } from '../records/keys.ts';
import { noticeRecord } from '../records/notice.ts';
import { orderRecord } from '../records/order.ts';
import { ANSWER_OCTETS, batchOf, refusedOf } from './batch.ts';
import { type CallbackContext, LOOK_AGAIN_MS } from './callback-context.ts';
import { ClientCertificate } from './client-certificate.ts';
import { callbackJws } from './message.ts';
import { CallbackSigner } from './signing-key.ts';

/** Orders whose CA is kept; what an order has never changes. */
const KEPT_ORDERS = 256;

/**
 * Carries callbacks so that the Operator knows who calls: TLS shows the client certificate of this server, and a JWS over
 * the body says whose word it is, for whom. A notice with a call of its own is signed once, and stored with its signature before it
 * is posted; notices that go together are signed as they go.
 */
export class CallbackCourier implements Courier {
  readonly #context: CallbackContext;
  readonly #post: PostCallback;
  readonly #deploymentCa: string | undefined;
  readonly #signer: CallbackSigner;
  readonly #client: ClientCertificate;
  readonly #casOfOrders = new Map<string, Promise<string | undefined>>();
  #retired: { readonly keys: Promise<readonly string[]>; readonly until: number } | undefined;

  /** `callbackCa`: PEM of a CA that is trusted besides the public ones, for orders that name none of their own. */
  constructor(context: CallbackContext, post: PostCallback, callbackCa?: string) {
    this.#context = context;
    this.#post = post;
    this.#deploymentCa = callbackCa === undefined ? undefined : withPublicCas(callbackCa);
    this.#signer = new CallbackSigner(context);
    this.#client = new ClientCertificate(context);
  }

  async prepare(notices: readonly Item[]): Promise<PreparedCall | undefined> {
    const [first] = notices;
    if (first === undefined) return undefined;
    if (noticeRecord.from(first).batch !== undefined) return await this.#together(notices, first);
    const signed = await this.#signed(first);
    if (signed === undefined) return undefined;
    const { content, signed: { jws = '' } = {} } = noticeRecord.from(signed);
    return {
      post: async () => {
        await this.#send(signed, { content, jws });
        return new Set();
      },
    };
  }

  /** Signed with each attempt: what is in it is known by the notices, and not every attempt has the same ones. */
  async #together(notices: readonly Item[], first: Item): Promise<PreparedCall> {
    const key = await this.#signer.current();
    const { call, content } = batchOf(notices);
    const jws = callbackJws(
      content,
      { aud: noticeRecord.from(first).url, jti: call, at: this.#context.now() },
      key,
    );
    return {
      post: async () => refusedOf(await this.#send(first, { content, jws, answer: ANSWER_OCTETS }), notices),
    };
  }

  /** A signature counts no more when the delivery key behind it is retired: such a notice is signed anew. */
  async #signed(notice: Item): Promise<Item | undefined> {
    const { signed } = noticeRecord.from(notice);
    if (signed !== undefined && !(await this.#retiredKeys()).includes(signed.deliveryKey)) return notice;
    const key = await this.#signer.current();
    const place = { partition: notice.partition, sort: notice.sort };
    return await changeItem<Item | undefined>(this.#context.ledger, place, (item) => {
      if (item === undefined) return unchanged<Item | undefined>(undefined);
      const record = noticeRecord.from(item);
      const { deliveryKey } = key;
      // another process was faster
      if (record.signed !== undefined && record.signed.deliveryKey !== signed?.deliveryKey)
        return unchanged<Item | undefined>(item);
      const claims = { aud: record.url, jti: callOfNotice(item.sort), at: this.#context.now() };
      const jws = callbackJws(record.content, claims, key);
      const attributes = noticeRecord.to({ ...record, signed: { jws, deliveryKey } });
      const value: Item = { ...item, attributes };
      return { kind: 'becomes', attributes, value, alongside: [] };
    });
  }

  async #send(notice: Item, message: Pick<CallbackMessage, 'content' | 'jws' | 'answer'>): Promise<string> {
    const { url, orderId } = noticeRecord.from(notice);
    const [client, ca] = await Promise.all([this.#client.current(), this.#caOf(orderId)]);
    return await this.#post({ url, ...message, client, ...present({ ca }) });
  }

  /** The CA that the order names for its callback server stands alone; else that of the deployment. */
  async #caOf(orderId: string): Promise<string | undefined> {
    let ca = this.#casOfOrders.get(orderId);
    if (ca === undefined) {
      ca = this.#context.ledger
        .get(ledgerKeys.order(orderId))
        .then((item) => item && orderRecord.from(item).callbackCa);
      ca.catch(() => this.#casOfOrders.delete(orderId));
      this.#casOfOrders.set(orderId, ca);
      for (const oldest of this.#casOfOrders.keys()) {
        if (this.#casOfOrders.size <= KEPT_ORDERS) break;
        this.#casOfOrders.delete(oldest);
      }
    }
    return (await ca) ?? this.#deploymentCa;
  }

  #retiredKeys(): Promise<readonly string[]> {
    const now = this.#context.now();
    if (this.#retired === undefined || now >= this.#retired.until) {
      this.#retired = { keys: retiredDeliveryKeys(this.#context), until: now + LOOK_AGAIN_MS };
      this.#retired.keys.catch(() => {
        this.#retired = undefined;
      });
    }
    return this.#retired.keys;
  }
}
