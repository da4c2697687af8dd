import { completeIccid } from '../../shared/codec/iccid.ts';
import type { Attributes, ItemKey, Ledger, Write } from '../../shared/ledger/ledger.ts';
import { dayOf } from '../../shared/service/counts/order-counts.ts';
import { orderCount } from '../../shared/service/records/inventory.ts';
import { chunkProgress, chunkRecord, type ItemOutcome, jobRecord } from '../../shared/service/records/job.ts';
import { blockOf, ledgerKeys } from '../../shared/service/records/keys.ts';
import {
  drawRecord,
  type OrderRecord,
  orderStateRecord,
  packRecord,
  supplyRecord,
} from '../../shared/service/records/order.ts';
import { profileRecord } from '../../shared/service/records/profile.ts';
import { transactionId } from '../../shared/service/records/transaction-id.ts';
import { openingWrites } from '../../shared/service/supply/open-marks.ts';
import { newOrderWrites } from '../../shared/service/supply/own-order.ts';
import { DEVICE_MAKER, OPERATOR } from './deployment.ts';

const PACK = 250;
/** Items of a job, in chunks as large as packs. */
const JOB = 10_000;
const HASH = 'ab'.repeat(32);
const AT = Date.parse('2026-11-27T09:00:00Z');
/** Writes that are on their way together. */
const TOGETHER = 2_000;

const object = (name: string) => ({ name, version: '1', size: 1_000_000, sha256: HASH });
const iccidAt = (position: number) => completeIccid(`8933${String(position).padStart(14, '0')}`);
const eidAt = (position: number) => `89049032${String(position).padStart(24, '0')}`;
const jobIdAt = (job: number) => String(job).padStart(24, '0');

/** An order of any size as records of the ledger alone: nothing of it is in a vault, and none of it can be bound. */
export interface WrittenOrder {
  readonly orderId: string;
  readonly quantity: number;
  /** Profiles from position 0 on that were bound, and those of them that were reported as installed. */
  readonly bound: number;
  readonly installed: number;
  readonly callbackUrl?: string;
}

export async function writeOrder(ledger: Ledger, of: WrittenOrder): Promise<void> {
  let waiting: Write[] = [];
  for (const write of writesOf(of)) {
    waiting.push(write);
    if (waiting.length < TOGETHER) continue;
    await ledger.writeMany(waiting);
    waiting = [];
  }
  await ledger.writeMany(waiting);
}

function* writesOf(of: WrittenOrder): Generator<Write> {
  const { orderId, quantity, bound, installed } = of;
  const order = orderOf(of);
  const head = newOrderWrites(orderId, order);
  yield* head.filter((write) => !('put' in write && write.put.sort === 'state'));
  yield put(ledgerKeys.orderState(orderId), orderStateRecord.to({ state: 'Open' }));
  yield* openingWrites(orderId);
  yield put(ledgerKeys.orderSupply(orderId), supplyRecord.to({ next: bound, end: quantity, taken: [] }));
  const changes = { Prepared: quantity, Delivered: bound - installed, Installed: installed };
  yield put(ledgerKeys.orderCount(orderId, dayOf(AT), 0), orderCount.to({ changes }));
  for (let pack = 0; pack * PACK < quantity; pack++) yield packOf(orderId, pack, quantity);
  for (let job = 0; job * JOB < bound; job++) yield* jobOf(orderId, job, Math.min(JOB, bound - job * JOB));
  for (let position = 0; position < installed; position++) yield installedAt(orderId, position);
}

const put = (key: ItemKey, attributes: Attributes): Write => ({ put: key, attributes, when: 'absent' });

const orderOf = ({ quantity, callbackUrl }: WrittenOrder): OrderRecord => ({
  operator: OPERATOR.identifier,
  profileType: 'written',
  quantity,
  requesterDms: [DEVICE_MAKER.identifier],
  personalisation: { iccidStart: '893300000000000000', keys: 'template' },
  eligibility: {},
  metadata: { serviceProviderName: 'Operator', profileName: 'Profile' },
  ...(callbackUrl !== undefined && { callbackUrl }),
  bodyHash: HASH,
  template: object('template'),
  templateKey: new Uint8Array(40),
  packSize: PACK,
  warnings: [],
  createdAt: AT,
});

function packOf(orderId: string, pack: number, quantity: number): Write {
  const count = Math.min(PACK, quantity - pack * PACK);
  const record = {
    object: object(`packs/${pack}`),
    offsets: Array.from({ length: count + 1 }, (_, i) => i * 4_000),
    iccids: Array.from({ length: count }, (_, i) => iccidAt(pack * PACK + i)),
    ppks: `${orderId}/${pack}/a`,
    dataKey: `${orderId}/${pack}/a-key`,
  };
  return put(ledgerKeys.orderPack(orderId, pack), packRecord.to(record));
}

function* jobOf(orderId: string, job: number, items: number): Generator<Write> {
  const jobId = jobIdAt(job);
  const first = job * JOB;
  const chunks = Math.ceil(items / PACK);
  const record = {
    party: DEVICE_MAKER.identifier,
    requestId: jobId.slice(0, 16),
    bodyHash: HASH,
    orderId,
    items,
    chunkSize: PACK,
    request: object(`requests/${job}`),
    chunkOffsets: Array.from({ length: chunks + 1 }, (_, i) => i * 10_000),
    chunkHashes: new Uint8Array(32 * chunks),
    runs: [[0, first, items]] as [number, number, number][],
    refusedData: [],
    createdAt: AT,
  };
  yield put(ledgerKeys.job(jobId), jobRecord.to(record));
  for (let at = first; at < first + items; at = (blockOf(at) + 1) * 1_000) {
    const count = Math.min((blockOf(at) + 1) * 1_000, first + items) - at;
    yield put(
      ledgerKeys.orderDraw(orderId, at, jobId),
      drawRecord.to({ jobId, index: at - first, from: at, count }),
    );
  }
  for (let chunk = 0; chunk < chunks; chunk++) {
    const start = first + chunk * PACK;
    const count = Math.min(PACK, first + items - start);
    const outcomes = Array.from({ length: count }, (_, i) => boundItem(chunk * PACK + i, start + i));
    yield put(
      ledgerKeys.chunk(jobId, chunk),
      chunkRecord.to({ part: object('part'), outcomes, offsets: [], trustEpoch: 1, committedAt: AT }),
    );
    const progress = { bound: count, refused: 0, size: 1_000_000, finished: true, deliveredAt: AT };
    yield put(ledgerKeys.chunkProgress(jobId, chunk), chunkProgress.to(progress));
  }
}

const boundItem = (itemId: number, position: number): ItemOutcome => ({
  itemId,
  eid: eidAt(position),
  keyId: 'k1',
  position,
  iccid: iccidAt(position),
  chain: 0,
  eumChain: HASH,
  suite: 'p256',
  otpk: HASH,
});

const installedAt = (orderId: string, position: number): Write =>
  put(
    ledgerKeys.profile(orderId, position),
    profileRecord.to({
      state: 'Installed',
      iccid: iccidAt(position),
      eid: eidAt(position),
      transactionId: transactionId(jobIdAt(Math.floor(position / JOB)), position % JOB),
      at: AT,
    }),
  );
