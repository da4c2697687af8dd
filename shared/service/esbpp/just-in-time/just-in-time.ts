import { together } from '../../../concurrency.ts';
import { bppBatchPrefix } from '../../../ifpp-draft1/bpp-batch.ts';
import { present } from '../../../present.ts';
import type { BppAnswer } from '../../api/esbpp.ts';
import type { Context } from '../../context.ts';
import { euiccInfos } from '../../esed1/euicc-infos.ts';
import { ledgerKeys } from '../../records/keys.ts';
import { objectNames } from '../../records/object-names.ts';
import { packRecord } from '../../records/order.ts';
import { nextOf } from '../../supply/lane.ts';
import { Lanes } from '../../supply/lanes.ts';
import type { Trust } from '../../trust/trust.ts';
import { countKeysSlowed } from '../keys-slowed.ts';
import type { ReceivedRequest, Requests } from '../requests.ts';
import { bindInTime } from './bind-in-time.ts';
import { commitInTime, finishInTime } from './commit-in-time.ts';
import { type Deciding, type Decision, decide, type Place, type Wanted } from './plan.ts';
import { sealPart } from './sealed-part.ts';
import { SharedChains } from './shared-chains.ts';

/** Attempts that may be lost to others before a request goes the way of all others. */
const ATTEMPTS = 4;

/**
 * Binding one profile while a device waits: one read, one signature, one transaction, and the answer from memory.
 *
 * What is not served here goes the way of a request of many items: one that would be refused, since its refusal is to be
 * kept; that names its ICCID, or whose eUICC has a replacement kept for it; of an order
 * whose last positions are being drawn, or the last ones of the caller's share; and an answer that is too large to go inline.
 */
export class JustInTime {
  readonly #context: Context;
  readonly #deciding: Deciding;
  readonly #requests: Requests;
  readonly #lanes: Lanes;
  readonly #chains: SharedChains;

  constructor(context: Context, trust: Trust, requests: Requests) {
    this.#context = context;
    this.#deciding = { trust, infoOf: euiccInfos(context) };
    this.#requests = requests;
    this.#lanes = new Lanes(context);
    this.#chains = new SharedChains(context.ledger);
  }

  /** Undefined where the request is to go the way of all others. Until `confirmed`, the register's word on the caller, it only reads. */
  async answer(received: ReceivedRequest, confirmed: Promise<unknown>): Promise<BppAnswer | undefined> {
    const { single: item, frame } = received;
    if (item === undefined || item.malformed !== undefined || item.iccid !== undefined) return undefined;
    if (frame.euiccData !== undefined) await confirmed;
    if (!(await this.#requests.takeForwarded(received))) return undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const answer = await this.#attempt({ received, item }, confirmed);
      if (answer !== 'lost') return answer;
    }
    return undefined;
  }

  /**
   * The path of one profile, from top to bottom. Each step is a round of calls, those of a step side by side. Where it
   * stops before the commit nothing was taken: the position is in the supply, the one-time key is free, and the part
   * opens for nobody (I2). Where it stops after it, a repeat of the request or the reaper of the lane goes on
   * (lane-closing.ts). A commit that does not hold was lost to somebody who was faster: the next attempt has a position,
   * an ephemeral key and a signature of its own.
   */
  async #attempt(wanted: Wanted, confirmed: Promise<unknown>): Promise<BppAnswer | 'lost' | undefined> {
    const context = this.#context;
    const { orderId } = wanted.received.frame;

    // 1. one batched read of all that decides, and the one gate (I6, I7)
    const decision = await this.#decide(wanted, confirmed);
    const place = decision && (decision.place ?? (await this.#newPlace(orderId, decision)));
    if (decision === undefined || place === undefined) return undefined;
    const { lane, position } = place;
    const nextLane = this.#lanes.layNext(lane, position);

    // 2. the profile, its PPK, its data key, and the signature
    const keyUse = countKeysSlowed('interactive');
    const chain = await this.#chains.of(decision.admission.dp);
    const bound = await bindInTime(context, wanted, decision, place, keyUse.options);
    if (bound === undefined || bound.element.length > context.settings.inlineLimit) {
      this.#lanes.lost(lane, position);
      return undefined;
    }

    // 3. the part, sealed under a key that nobody has yet
    const { sealed, partKey } = sealPart(bound.element);
    const part = await context.vault.put(objectNames.lanePart(orderId, lane.id, position), sealed);

    // 4. one transaction, which carries that key: bound means committed
    const whole = { ...bound, part, partKey, slowed: keyUse.slowed() };
    const committed = await commitInTime(context, wanted, decision, place, whole, chain);
    if (committed === undefined) {
      await context.vault.remove(part.name);
      this.#lanes.lost(lane, position);
      return 'lost';
    }

    // 5. the locked commit record (I9) and the end of the PPK (I5), and 6. the mark that says so (I3)
    const ended = await finishInTime(context, committed, place, decision.order.packSize, whole, chain);
    if (ended) this.#lanes.taken(lane, position);
    await nextLane;
    return answerOf(wanted, whole, chain);
  }

  /** With a lane that waits for its next call, where there is one. */
  async #decide(wanted: Wanted, confirmed: Promise<unknown>): Promise<Decision | undefined> {
    const { caller, frame } = wanted.received;
    const idle = this.#lanes.idle(frame.orderId, caller.identifier);
    let decision: Decision | undefined;
    try {
      [decision] = await together(decide(this.#context, this.#deciding, wanted, idle), confirmed);
      return decision;
    } finally {
      if (decision === undefined && idle !== undefined) this.#lanes.unchanged(idle);
    }
  }

  /** On a new lane; undefined where nothing is left to lay one out of. */
  async #newPlace(orderId: string, { order: { packSize }, sharer }: Decision): Promise<Place | undefined> {
    const lane = await this.#lanes.lay({ orderId, packSize, sharer });
    const position = lane && nextOf(lane);
    if (lane === undefined || position === undefined) return undefined;
    const key = ledgerKeys.orderPack(orderId, Math.floor(position / packSize));
    const pack = await this.#context.ledger.get(key);
    return pack && { lane, position, pack: packRecord.from(pack) };
  }
}

function answerOf(
  { received: { frame } }: Wanted,
  {
    element,
    slowed,
  }: { readonly element: Uint8Array; readonly slowed: { readonly times: number; readonly waitedMs: number } },
  { chain }: Awaited<ReturnType<SharedChains['of']>>,
): BppAnswer {
  const { requestId } = frame;
  const prefix = bppBatchPrefix(requestId, [chain], element.length);
  const keysSlowed = slowed.times > 0 ? slowed : undefined;
  return {
    requestId,
    items: 1,
    processed: 1,
    ...present({ keysSlowed }),
    state: 'Done',
    failed: [],
    bppBatch: Buffer.concat([prefix, element]),
  };
}
