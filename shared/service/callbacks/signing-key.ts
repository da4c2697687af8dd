import type { KeyObject } from 'node:crypto';
import { untilDone } from '../../concurrency.ts';
import { asRead, changedTooFast } from '../../ledger/change.ts';
import type { Item } from '../../ledger/ledger.ts';
import { keyId } from '../keys/delivery-keys.ts';
import { jwkOf, signedByDelivery } from '../keys/signed.ts';
import { type CallbackSigningKey, callbackSigningKey } from '../records/callback-keys.ts';
import { ledgerKeys } from '../records/keys.ts';
import { type CallbackContext, LOOK_AGAIN_MS } from './callback-context.ts';
import { noteSealedKey, openSealedKey, sealNewKey } from './sealed-key.ts';

const HOUR_MS = 3_600_000;
/** For so long a key is endorsed, */
const LIFE_MS = 24 * HOUR_MS;
/** and by so much earlier another takes its place, so that all processes have turned to it by then. */
const REPLACED_BEFORE_MS = HOUR_MS;
/** What clocks of other processes and of Operators may be slow. */
const SLACK_MS = 5 * 60_000;

/** `typ` of the endorsement. */
export const ENDORSEMENT_TYP = 'smdpf-callback-key+jws';

/** A key that signs callbacks now. */
export interface OpenSigningKey {
  readonly privateKey: KeyObject;
  readonly kid: string;
  /** Compact JWS of type ENDORSEMENT_TYP by the delivery key. */
  readonly endorsement: string;
  /** URI of that delivery key. */
  readonly deliveryKey: string;
}

/**
 * The key that signs callbacks: a P-256 key of a day, which the delivery key endorses, so that a million callbacks cost
 * the HSM or KMS a signature a day. All processes of a deployment share one, sealed in the ledger. Another takes its place
 * when its day ends, and as soon as another delivery key is in use.
 */
export class CallbackSigner {
  readonly #context: CallbackContext;
  #kept: { readonly key: OpenSigningKey; readonly until: number } | undefined;

  constructor(context: CallbackContext) {
    this.#context = context;
  }

  async current(): Promise<OpenSigningKey> {
    const now = this.#context.now();
    if (this.#kept !== undefined && now < this.#kept.until) return this.#kept.key;
    const record = await this.#stored();
    const known = this.#kept?.key;
    const kid = keyId(record.publicKey);
    const key: OpenSigningKey =
      known?.kid === kid
        ? known
        : {
            privateKey: await openSealedKey(this.#context, 'signing', record),
            kid,
            endorsement: record.endorsement,
            deliveryKey: record.deliveryKey,
          };
    this.#kept = { key, until: Math.min(now + LOOK_AGAIN_MS, record.notAfter - REPLACED_BEFORE_MS) };
    return key;
  }

  /** The one in the ledger where it may still be used, or a new one. */
  #stored(): Promise<CallbackSigningKey> {
    const { ledger, keyAssignments } = this.#context;
    return untilDone(async () => {
      const deliveryKey = await keyAssignments.current('delivery');
      const item = await ledger.get(ledgerKeys.callbackKey('signing'));
      const record = item && callbackSigningKey.from(item);
      if (record !== undefined && record.deliveryKey === deliveryKey && this.#isFresh(record))
        return { value: record };
      const made = await this.#make(deliveryKey, item);
      return made && { value: made };
    }, changedTooFast);
  }

  #isFresh({ notAfter }: CallbackSigningKey): boolean {
    return this.#context.now() < notAfter - REPLACED_BEFORE_MS;
  }

  /** Undefined where somebody else was faster. */
  async #make(deliveryKey: string, before: Item | undefined): Promise<CallbackSigningKey | undefined> {
    const { ledger, now, settings } = this.#context;
    const { stored } = await sealNewKey(this.#context, 'signing');
    const notBefore = now() - SLACK_MS;
    const notAfter = now() + LIFE_MS;
    const endorsement = await signedByDelivery(this.#context, ENDORSEMENT_TYP, {
      iss: settings.address,
      iat: seconds(now()),
      nbf: seconds(notBefore),
      exp: seconds(notAfter),
      jwk: jwkOf(stored.publicKey, 'sig', 'ES256'),
    });
    const record = { ...stored, endorsement, deliveryKey, notBefore, notAfter };
    const place = ledgerKeys.callbackKey('signing');
    const { done } = await ledger.write({
      put: place,
      attributes: callbackSigningKey.to(record),
      when: asRead(before),
    });
    if (!done) return undefined;
    await noteSealedKey(this.#context, 'signing', stored);
    return record;
  }
}

export const seconds = (ms: number) => Math.floor(ms / 1000);
