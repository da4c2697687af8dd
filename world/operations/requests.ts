import { createHash } from 'node:crypto';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import type { BppAnswer } from '../../shared/service/api/esbpp.ts';
import {
  assembleBppBatch,
  assemblePagedBatch,
  encodeBppRequest,
  partNamesOf,
  type RequestItem,
} from '../../sim/index.ts';
import { SimError } from '../../sim/tlv.ts';
import { MAKERS } from '../cast.ts';
import { demand } from '../checker/violation.ts';
import type { Random } from '../random.ts';
import type { TownOrder, TownRequest } from '../town.ts';
import type { World } from '../world.ts';
import { NOTHING, type Operation } from './operation.ts';

/** An answer, with its pages where it has some. */
export interface Answered extends BppAnswer {
  readonly answeredPages?: readonly Bytes[];
}

/** The whole batch of an answer; undefined while it is pending, or where a part cannot be had any more. */
function batchOf(
  world: World,
  { bppBatch, manifest, manifestRoot, answeredPages }: Answered,
): Bytes | undefined {
  if (bppBatch !== undefined) return bppBatch;
  const part = (name: string) => world.stores.vault.raw(name) ?? new Uint8Array();
  try {
    if (manifest !== undefined) return assembleBppBatch(manifest, part);
    if (manifestRoot === undefined || answeredPages === undefined) return undefined;
    return assemblePagedBatch(manifestRoot, (page) => answeredPages[page] ?? new Uint8Array(), part);
  } catch (error) {
    // while something is damaged, a part is not the one of its manifest, and whoever downloads it sees that
    if (error instanceof SimError && world.damages > 0) return undefined;
    throw error;
  }
}

export function take(
  world: World,
  { maker, requestId }: TownRequest,
  answer: Answered,
  orderId: string,
  withdrawn: (eid: string) => boolean,
): void {
  const batch = batchOf(world, answer);
  if (batch === undefined) return;
  const named = answer.parts?.map(({ name }) => name) ?? answer.answeredPages?.flatMap(partNamesOf) ?? [];
  for (const name of named) world.town.parts.push({ maker, requestId, name });
  for (const { eid, bound } of world.checker.answered(maker.identifier, requestId, batch, withdrawn))
    if (bound !== undefined) {
      const { iccid, transactionId } = bound;
      world.town.served.note(eid, true, world.stores.ledger.changes);
      world.town.profiles.set(iccid, { iccid, eid, transactionId, orderId, maker });
    }
}

const ordersOf = new Map<string, string>();

async function send(
  world: World,
  random: Random,
  request: TownRequest,
  how: 'request' | 'fetch',
): Promise<string> {
  const withdrawn = world.withdrawnThroughout();
  const outcome = await world.call(random, request.maker, ({ services }, caller) =>
    how === 'request'
      ? services.delivery.requestBpp(caller, request.der)
      : services.delivery.getBppBatch(caller, { requestId: request.requestId }),
  );
  if (outcome.kind === 'refused') return `refused ${outcome.code}`;
  if (outcome.kind === 'lost') return 'lost';
  const answer = await withPages(world, random, request, outcome.value);
  take(world, request, answer, ordersOf.get(request.requestId) ?? '', withdrawn);
  return answer.manifestRoot === undefined ? answer.state : `${answer.state} with pages`;
}

/** The request by a link, and then by its name. */
async function upload(world: World, random: Random, { maker, requestId, der }: TownRequest): Promise<string> {
  const sha256 = createHash('sha256').update(der).digest('hex');
  const content = { purpose: 'bppRequest', size: der.length, sha256 } as const;
  const opened = await world.call(random, maker, ({ services }, caller) =>
    services.transfers.openTransfer(caller, content),
  );
  if (opened.kind !== 'answered') return opened.kind === 'refused' ? `refused ${opened.code}` : 'lost';
  const { transferId } = opened.value;
  world.stores.vault.put(`uploads/${transferId}`, der);
  const withdrawn = world.withdrawnThroughout();
  const outcome = await world.call(random, maker, async ({ services }, caller) => {
    const received = await services.transfers.receivedObject(caller, transferId, 'bppRequest');
    return await services.delivery.requestBpp(caller, received);
  });
  if (outcome.kind === 'refused') return `refused ${outcome.code}`;
  if (outcome.kind === 'lost') return 'lost';
  const answer = await withPages(world, random, { maker, requestId, der }, outcome.value);
  take(world, { maker, requestId, der }, answer, ordersOf.get(requestId) ?? '', withdrawn);
  return answer.manifestRoot === undefined ? answer.state : `${answer.state} with pages`;
}

/**
 * With its pages, each asked for by a call of its own. Where one does not come, or trust moves between them and the root is
 * another one by then, the answer is left alone: whoever asks for such an answer begins again.
 */
async function withPages(
  world: World,
  random: Random,
  { maker, requestId }: TownRequest,
  answer: BppAnswer,
): Promise<Answered> {
  const { manifestRoot, pages = 0 } = answer;
  if (manifestRoot === undefined) return answer;
  const ask = (page?: number) =>
    world.call(random, maker, ({ services }, caller) =>
      services.delivery.getBppBatch(caller, { requestId, page }),
    );
  const answeredPages: Bytes[] = [];
  for (let page = 0; page < pages; page++) {
    const outcome = await ask(page);
    const octets = outcome.kind === 'answered' ? outcome.value.manifestPage : undefined;
    if (octets === undefined) return answer;
    answeredPages.push(octets);
  }
  const now = await ask();
  const isSame =
    now.kind === 'answered' &&
    now.value.manifestRoot !== undefined &&
    toHex(now.value.manifestRoot) === toHex(manifestRoot);
  return isSame ? { ...answer, answeredPages } : answer;
}

function drawItems(world: World, random: Random, order: TownOrder, count: number): RequestItem[] {
  return Array.from({ length: count }, (_, i) => {
    const { euiccs } = world.eum(random);
    const { eid, oneTimeKeys } = random.pick(euiccs);
    return {
      itemId: i + 1,
      eid,
      ...(random.chance(0.6) ? { additional: true } : {}),
      ...(random.chance(0.15) ? { keyId: random.pick(oneTimeKeys).keyId } : {}),
      ...(random.chance(0.1) && order.iccids.length > 0 ? { iccid: random.pick(order.iccids) } : {}),
    };
  });
}

function draw(
  world: World,
  random: Random,
  more: { readonly euiccData?: Bytes; items?: RequestItem[] } = {},
): TownRequest | undefined {
  const { town } = world;
  const order = random.chance(0.6) ? town.orders.at(-1) : town.orders[random.below(town.orders.length || 1)];
  if (order === undefined) return undefined;
  const maker = random.pick(random.chance(0.9) ? order.makers : MAKERS);
  const id = random.octets(8);
  const { items = drawItems(world, random, order, random.chance(0.6) ? 1 : 1 + random.below(5)), ...rest } =
    more;
  const der = encodeBppRequest({ requestId: id, orderId: order.orderId, items, ...rest });
  const request = { maker, requestId: toHex(id), der };
  ordersOf.set(request.requestId, order.orderId);
  if (ordersOf.size > 10_000) ordersOf.delete(ordersOf.keys().next().value!);
  town.requests.push(request);
  return request;
}

export const REQUESTS: Readonly<Record<string, Operation>> = {
  requestBpp: {
    weight: 20,
    async run(world, random) {
      const request = draw(world, random);
      return request === undefined ? NOTHING : await send(world, random, request, 'request');
    },
  },
  /** The same request at two processes at once, as a network that repeats itself makes it. */
  requestTwiceAtOnce: {
    weight: 4,
    async run(world, random) {
      const request = draw(world, random);
      if (request === undefined) return NOTHING;
      world.onFault('duplicate');
      const both = await Promise.all([
        send(world, random, request, 'request'),
        send(world, random, request, 'request'),
      ]);
      return both.sort().join(' + ');
    },
  },
  /** With the data of an eUICC that is not registered yet, or is (path B). */
  requestWithEuiccData: {
    weight: 3,
    async run(world, random) {
      const maker = world.eum(random);
      const euicc = random.pick(maker.euiccs);
      const makers = MAKERS.map(({ identifier }) => identifier);
      const euiccData = maker.eum.euiccDataBatch([euicc], {
        deviceManufacturers: makers,
        batchId: random.octets(16),
      });
      // what a device manufacturer brings of an eUICC entitles it
      world.checker.entitle(euicc.eid, makers);
      const request = draw(world, random, {
        euiccData,
        items: [{ itemId: 1, eid: euicc.eid, additional: true }],
      });
      return request === undefined ? NOTHING : await send(world, random, request, 'request');
    },
  },
  /** As an upload, with the data of as many eUICCs as there are: where it is too large for a call, both are planned in slices. */
  uploadRequest: {
    weight: 3,
    async run(world, random) {
      const { eum, euiccs } = world.eum(random);
      const makers = MAKERS.map(({ identifier }) => identifier);
      const options = { deviceManufacturers: makers, batchId: random.octets(16) };
      for (const { eid } of euiccs) world.checker.entitle(eid, makers);
      const items = euiccs.map(({ eid }, i) => ({ itemId: i + 1, eid, additional: true }));
      const request = draw(world, random, { euiccData: eum.euiccDataBatch(euiccs, options), items });
      return request === undefined ? NOTHING : await upload(world, random, request);
    },
  },
  repeatRequest: {
    weight: 20,
    async run(world, random) {
      const { requests } = world.town;
      if (requests.length === 0) return NOTHING;
      return await send(world, random, random.pick(requests), 'request');
    },
  },
  getBppBatch: {
    weight: 20,
    async run(world, random) {
      const { requests } = world.town;
      if (requests.length === 0) return NOTHING;
      return await send(world, random, random.pick(requests), 'fetch');
    },
  },
  otherRequestOfSameName: {
    weight: 2,
    async run(world, random) {
      const { requests, orders } = world.town;
      if (requests.length === 0) return NOTHING;
      const { maker, requestId } = random.pick(requests);
      const order = random.pick(orders);
      const items = drawItems(world, random, order, 6);
      const der = encodeBppRequest({
        requestId: Buffer.from(requestId, 'hex'),
        orderId: order.orderId,
        items,
      });
      const answered = world.checker.knows(maker.identifier, requestId);
      const outcome = await world.call(random, maker, ({ services }, caller) =>
        services.delivery.requestBpp(caller, der),
      );
      demand(
        outcome.kind !== 'answered' || !answered,
        'I4',
        () => `${requestId} was answered with another body`,
      );
      if (outcome.kind === 'refused') return `refused ${outcome.code}`;
      // the first had no effect: from here on this one is the request
      if (outcome.kind === 'answered') {
        const place = requests.findIndex((one) => one.requestId === requestId);
        requests[place] = { maker, requestId, der };
      }
      return outcome.kind;
    },
  },
};
