import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bytes, toHex } from '../../shared/codec/bytes.ts';
import type { Ledger } from '../../shared/ledger/ledger.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import type { Runtime } from '../../shared/runtime.ts';
import type { Caller } from '../../shared/service/api/caller.ts';
import type { OrderInput } from '../../shared/service/api/es2f.ts';
import type { BppAnswer } from '../../shared/service/api/esbpp.ts';
import { type ChunkRecord, chunkRecord } from '../../shared/service/records/job.ts';
import { LANE, ledgerKeys, shareReturnedPrefix } from '../../shared/service/records/keys.ts';
import type { NoticeRecord } from '../../shared/service/records/notice.ts';
import {
  packRecord,
  returnedOfShare,
  returnedRecord,
  shareRecord,
  supplyRecord,
} from '../../shared/service/records/order.ts';
import { jobIdOf } from '../../shared/service/records/transaction-id.ts';
import { openWorkOf } from '../../shared/service/records/work.ts';
import { viewBlock } from '../../shared/service/supply/draws.ts';
import {
  type Bound,
  type BppItem,
  decodeBppBatch,
  encodeBppRequest,
  type PersonalisedEuicc,
  type RequestItem,
} from '../../sim/index.ts';
import { chainedAuditLines } from '../support/audit.ts';
import { DEVICE_MAKER, type Deployment, EUM, OPERATOR } from '../support/deployment.ts';
import { storedPacks } from '../support/packs.ts';

/** The template of all tests here: it needs no published profile. */
export const TEMPLATE = ownTemplate();

/** Prepares an order of `quantity` profiles for the device manufacturer. */
export async function prepare(
  deployment: Deployment,
  orderId: string,
  quantity: number,
  more: Partial<OrderInput> = {},
): Promise<readonly string[]> {
  const order = deployment.order(orderId, quantity, TEMPLATE, more);
  const { orders } = deployment.runtime.services;
  let answer = await orders.prepareProfiles(OPERATOR, order);
  // a large order goes on by itself
  while (answer.state === 'Preparing') {
    await sleep(20);
    answer = await orders.prepareProfiles(OPERATOR, order);
  }
  return answer.iccids ?? [];
}

/** Plans a large request as far as it goes, its eUICC data taken in on the way: what a dispatcher does with the open work of it. */
export async function planLarge({ context, work }: Pick<Runtime, 'context' | 'work'>, jobId: string) {
  const keys = (['request', 'euiccData'] as const).map((kind) => ledgerKeys.openWork(kind, jobId));
  for (;;) {
    const open = (await context.ledger.getMany(keys)).find((item) => item !== undefined);
    if (open === undefined) return;
    const { kind, tasks } = openWorkOf(open);
    for (let task = 0; task < tasks; task++) await work.runTask(kind, jobId, task);
    if (!(await work.finish(kind, jobId))) return;
  }
}

/** The Operator's key for output rows, and an order of profiles for a real network: every secret is generated. */
export function operational(iccidStart: string): { privateKey: KeyObject; order: Partial<OrderInput> } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const order: Partial<OrderInput> = {
    personalisation: { iccidStart, imsiStart: '001010000000001', keys: 'generate' },
    metadata: { serviceProviderName: 'Operator', profileName: 'Profile', profileClass: 'operational' },
    outputKey: publicKey.export({ format: 'jwk' }) as Record<string, unknown>,
  };
  return { privateKey, order };
}

/** eUICCs with `keys` one-time keys each, registered for the device manufacturer on Esed1. */
export async function registered(
  deployment: Deployment,
  count: number,
  options: { keys?: number; makers?: readonly string[] } = {},
): Promise<PersonalisedEuicc[]> {
  const { keys = 1, makers = [DEVICE_MAKER.identifier] } = options;
  const euiccs = [...deployment.eum.production(count, keys)];
  await register(deployment, euiccs, makers);
  return euiccs;
}

export async function register(
  { eum, runtime }: Deployment,
  euiccs: readonly PersonalisedEuicc[],
  makers: readonly string[] = [DEVICE_MAKER.identifier],
): Promise<void> {
  const batch = eum.euiccDataBatch(euiccs, { deviceManufacturers: makers });
  let answer = await runtime.services.ingest.registerEuiccData(EUM, batch);
  // a large one is read and registered by itself
  while (answer.state === 'Pending') {
    await sleep(20);
    answer = await runtime.services.ingest.registerEuiccData(EUM, batch);
  }
  const { rejected } = answer;
  if (rejected.length > 0) throw new Error(`not registered: ${JSON.stringify(rejected)}`);
}

/** A request under a new requestId; items are numbered from 1 in their order. */
export class Request {
  readonly id = randomBytes(8);
  readonly der: Bytes;
  readonly by: Caller;

  constructor(
    orderId: string,
    items: readonly Omit<RequestItem, 'itemId'>[],
    options: { euiccData?: Bytes; by?: Caller; id?: Bytes } = {},
  ) {
    this.by = options.by ?? DEVICE_MAKER;
    if (options.id !== undefined) this.id = Buffer.from(options.id);
    this.der = encodeBppRequest({
      requestId: this.id,
      orderId,
      ...(options.euiccData === undefined ? {} : { euiccData: options.euiccData }),
      items: items.map((item, i) => ({ itemId: i + 1, ...item })),
    });
  }

  get hex(): string {
    return toHex(this.id);
  }

  jobId(deployment: string): string {
    return jobIdOf(deployment, this.by.identifier, this.hex);
  }

  send = ({ services }: Runtime): Promise<BppAnswer> => services.delivery.requestBpp(this.by, this.der);

  fetch = ({ services }: Runtime): Promise<BppAnswer> =>
    services.delivery.getBppBatch(this.by, { requestId: this.hex });
}

export function itemsOf(answer: BppAnswer | undefined): readonly BppItem[] {
  if (answer?.bppBatch === undefined) throw new Error(`no batch in the answer: ${answer?.state}`);
  return decodeBppBatch(answer.bppBatch).items;
}

export type BoundBppItem = BppItem & { readonly bound: Bound };

export const boundOf = (answer: BppAnswer | undefined): BoundBppItem[] =>
  itemsOf(answer).filter((item): item is BoundBppItem => item.bound !== undefined);

/** What was spent: EID, ICCID and one-time key of each bound item. */
export const triplesOf = (answer: BppAnswer | undefined): string[] =>
  boundOf(answer).map(({ eid, bound }) => `${eid} ${bound.iccid} ${toHex(bound.keyId)}`);

/** The codes of the answer by item: `bound`, or the name of the refusal. */
export function outcomesOf(answer: BppAnswer): string[] {
  const refused = new Map(answer.failed.map(({ itemId, code }) => [itemId, code]));
  return itemsOf(answer).map(({ itemId }) => refused.get(itemId) ?? 'bound');
}

/** Where each position of an order stands: still in the supply, given back, bound, or drawn and not settled. */
export interface Positions {
  readonly supply: readonly number[];
  readonly returned: readonly number[];
  readonly bound: readonly number[];
}

export async function positionsOf({ context }: Runtime, orderId: string): Promise<Positions> {
  const { ledger } = context;
  const item = await ledger.get(ledgerKeys.orderSupply(orderId));
  const { next, end, taken } = item === undefined ? { next: 0, end: 0, taken: [] } : supplyRecord.from(item);
  const supply = Array.from({ length: end - next }, (_, i) => next + i).filter(
    (position) => !taken.some(([from, to]) => position >= from && position < to),
  );
  const lists = (await ledger.query(`order#${orderId}`, { prefix: 'returned#' })).items;
  const { bound } = await viewBlock(context, orderId, 0);
  const positionsIn = (inLane: boolean) =>
    lists
      .filter(({ sort }) => sort.startsWith(LANE) === inLane)
      .flatMap((list) => returnedRecord.from(list).positions);
  const inOrder = (positions: number[]) => positions.sort((a, b) => a - b);
  return {
    // what is laid out in lanes was never drawn
    supply: inOrder([...supply, ...positionsIn(true)]),
    returned: inOrder(positionsIn(false)),
    bound: [...bound.keys()].sort((a, b) => a - b),
  };
}

/** What is counted in the share of a device manufacturer. */
export async function shareOf(ledger: Ledger, orderId: string, maker: string) {
  const [share, waiting, lists] = await Promise.all([
    ledger.get(ledgerKeys.orderShare(orderId, maker)),
    ledger.query(`order#${orderId}`, { prefix: shareReturnedPrefix(maker) }),
    ledger.query(`order#${orderId}`, { prefix: LANE }),
  ]);
  const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);
  const lanes = lists.items.map(returnedRecord.from).filter(({ sharer }) => sharer === maker);
  return {
    drawn: share === undefined ? 0 : shareRecord.from(share).drawn,
    /** Given back, and settled by the next draw. */
    returned: sum(waiting.items.map((item) => returnedOfShare.from(item).count)),
    inLanes: sum(lanes.map(({ positions }) => positions.length)),
  };
}

/** The positions whose PPK is still there. */
export async function ppksLeft({ context }: Runtime, orderId: string): Promise<number[]> {
  const left: number[] = [];
  const packs = await storedPacks(context.ledger, orderId);
  let first = 0;
  for (const record of packs.map(packRecord.from)) {
    const places = record.iccids.map((_, place) => place);
    const entries = await context.ppks.entries(record.ppks, places);
    left.push(...places.filter((place) => entries[place] !== undefined).map((place) => first + place));
    first += places.length;
  }
  return left;
}

/** Lines of the audit log about this event and identifier, chained or waiting. */
export async function auditLines(
  { audit, context }: Runtime,
  event: string,
  about: Readonly<Record<string, unknown>>,
): Promise<number> {
  await audit.chain();
  const lines = await chainedAuditLines(context.ledger);
  return lines.filter(({ attributes }) => {
    const members = attributes.about as Record<string, unknown>;
    const fits = Object.entries(about).every(([name, value]) => members[name] === value);
    return attributes.event === event && fits;
  }).length;
}

export async function committed({ context }: Runtime, jobId: string, chunk: number): Promise<ChunkRecord> {
  const item = await context.ledger.get(ledgerKeys.chunk(jobId, chunk));
  if (item === undefined) throw new Error(`chunk ${chunk} of ${jobId} is not committed`);
  return chunkRecord.from(item);
}

/** The state of the profile that a notice tells the Operator of. */
export const noticedState = ({ content }: NoticeRecord): string =>
  (JSON.parse(content) as { readonly profileState: string }).profileState;
