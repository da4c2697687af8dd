import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../../../shared/codec/bytes.ts';
import { Refusal } from '../../../shared/errors.ts';
import { openRuntime, type Runtime } from '../../../shared/runtime.ts';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import {
  chunkCount,
  chunkRecord,
  isBound,
  type JobRecord,
  jobRecord,
  requestSlice,
} from '../../../shared/service/records/job.ts';
import { jobPartition, ledgerKeys } from '../../../shared/service/records/keys.ts';
import { verify } from '../../../shared/service/verify/verify.ts';
import type { ObjectRef } from '../../../shared/vault/vault.ts';
import {
  encodeBppRequest,
  encodeProfileLoadingReport,
  type PersonalisedEuicc,
  type RequestItem,
} from '../../../sim/index.ts';
import { DEVICE_MAKER, Deployment, OPERATOR } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { refusalOf } from '../../support/refusal.ts';
import { uploadedRequest } from '../../support/uploads.ts';
import { MortalProcess } from '../mortal.ts';
import {
  type BoundBppItem,
  boundOf,
  positionsOf,
  prepare,
  Request,
  registered,
  shareOf,
} from '../scenario.ts';

/** Two chunks a slice, three items a chunk. */
const CONFIG = {
  chunkSize: 3,
  requestSlice: 6,
  packSize: 4,
  inlineOrder: 2_000,
  uploads: { count: 10_000, octets: 1 << 30 },
};
/** Whatever is larger than this many octets is an upload that is too large for a call. */
const SMALL = 60;

let deployment: Deployment;
/** Takes requests as one that can hold them, and as one that cannot. */
let inCalls: Runtime;
let inSlices: Runtime;
let made = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, lanes: 'none', config: CONFIG });
  inCalls = deployment.runtime;
  const { config, runtime } = deployment;
  const { ledger, vault, ppks } = runtime.unguarded;
  const stores = { ledger, vault, ppks };
  inSlices = await openRuntime(
    { ...config, inlineLimit: SMALL },
    { lanes: 'none', stores, keys: runtime.keys },
  );
});
afterAll(() => deployment?.close());

const uploaded = (content: Bytes) => uploadedRequest(deployment.runtime, content);

const take = ({ services }: Runtime, sent: Bytes | ObjectRef) =>
  services.delivery.requestBpp(DEVICE_MAKER, sent);

const jobIdOf = (request: Pick<Request, 'jobId'>) => request.jobId('test');

async function jobOf(jobId: string): Promise<JobRecord> {
  return jobRecord.from((await deployment.runtime.context.ledger.get(ledgerKeys.job(jobId)))!);
}

async function plan({ work }: Runtime, jobId: string): Promise<void> {
  await work.runTask('request', jobId, 0);
  expect(await work.finish('request', jobId)).toBe(true);
}

/** Binds all chunks of a job that stands. */
async function bind({ work }: Runtime, jobId: string): Promise<void> {
  const job = await jobOf(jobId);
  for (let chunk = 0; chunk < chunkCount(job); chunk++) await work.runTask('job', jobId, chunk);
  expect(await work.finish('job', jobId)).toBe(true);
}

/** What came of each item: its position, or why it was refused. */
async function outcomesOf(jobId: string): Promise<string[]> {
  const { ledger } = deployment.runtime.context;
  const job = await jobOf(jobId);
  const keys = Array.from({ length: chunkCount(job) }, (_, chunk) => ledgerKeys.chunk(jobId, chunk));
  return (await ledger.getMany(keys)).flatMap((item) =>
    chunkRecord
      .from(item!)
      .outcomes.map((outcome) =>
        isBound(outcome) ? `${outcome.itemId}: ${outcome.position}` : `${outcome.itemId}: ${outcome.refusal}`,
      ),
  );
}

/** What becomes of a request: what came of its items, or how it is refused. */
async function verdict(work: () => Promise<string[]>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, message, offset } = error;
    return { code, message, offset };
  }
}

const withinCall = (request: Pick<Request, 'jobId'>, der: Bytes) =>
  verdict(async () => {
    await take(inCalls, der);
    const jobId = jobIdOf(request);
    // one of a single chunk is bound within its call
    if (chunkCount(await jobOf(jobId)) > 1) await bind(inCalls, jobId);
    return await outcomesOf(jobId);
  });

const asSlices = (request: Pick<Request, 'jobId' | 'fetch'>, der: Bytes) =>
  verdict(async () => {
    const jobId = jobIdOf(request);
    const upload = await uploaded(der);
    expect(await take(inSlices, upload)).toMatchObject({ state: 'Pending', items: 0, processed: 0 });
    await plan(inSlices, jobId);
    await request.fetch(inSlices);
    await bind(inSlices, jobId);
    return await outcomesOf(jobId);
  });

async function given(count: number, options: { quantity?: number; share?: number } = {}) {
  const { quantity = count, share } = options;
  const orderId = `LARGE-${String(made++).padStart(3, '0')}`;
  const shares = share === undefined ? {} : { shares: { [DEVICE_MAKER.identifier]: share } };
  const iccids = await prepare(deployment, orderId, quantity, shares);
  return { orderId, iccids };
}

const itemsFor = (euiccs: readonly PersonalisedEuicc[]) => euiccs.map(({ eid }) => ({ eid }));

describe('a request that is too large for a call', { tags: ['I4'] }, () => {
  it('is taken on by its head, planned in slices and bound, and leaves a record that does not grow', async () => {
    const { orderId } = await given(20);
    const euiccs = await registered(deployment, 20);
    const request = new Request(orderId, itemsFor(euiccs));
    const jobId = jobIdOf(request);
    const { vault, ledger } = inSlices.context;
    const getStream = vault.getStream.bind(vault);
    vault.getStream = () => expect.fail('a call reads the head alone');
    const upload = await uploaded(request.der);
    const pending: BppAnswer = {
      requestId: request.hex,
      state: 'Pending',
      items: 0,
      processed: 0,
      failed: [],
    };
    try {
      expect(await take(inSlices, upload)).toEqual(pending);
      expect(await take(inSlices, upload)).toEqual(pending);
      expect(await request.fetch(inSlices)).toEqual(pending);
    } finally {
      vault.getStream = getStream;
    }
    expect(await positionsOf(inSlices, orderId)).toMatchObject({ supply: range(20) });
    await plan(inSlices, jobId);

    const job = await jobOf(jobId);
    expect(job).toMatchObject({ items: 20, slices: { chunks: 7, ofSlice: 2 }, chunkOffsets: [], runs: [] });
    expect(job.planning).toBeUndefined();
    expect(job.request?.name).toMatch(/^requests\//);
    const slices = await ledger.query(jobPartition(jobId), { prefix: 'slice#' });
    expect(
      slices.items.map((item) => requestSlice.from(item)).map(({ runs, drawn }) => ({ runs, drawn })),
    ).toEqual([
      { runs: [[0, 0, 6]], drawn: 'all' },
      { runs: [[6, 6, 6]], drawn: 'all' },
      { runs: [[12, 12, 6]], drawn: 'all' },
      { runs: [[18, 18, 2]], drawn: 'all' },
    ]);
    expect(await request.fetch(inSlices)).toMatchObject({ state: 'Pending', items: 20, processed: 0 });
    await bind(inSlices, jobId);
    expect(await outcomesOf(jobId)).toEqual(range(20).map((i) => `${i + 1}: ${i}`));
    expect(await request.fetch(inSlices)).toMatchObject({
      state: 'Done',
      items: 20,
      processed: 20,
      failed: [],
    });
    // the same again, within a call as well
    expect(await take(inSlices, upload)).toMatchObject({ state: 'Done' });
    expect(await take(inCalls, request.der)).toMatchObject({ state: 'Done', processed: 20 });
    expect((await inSlices.services.inventory.listJobs({ orderId })).jobs).toMatchObject([
      { state: 'Done', items: 20, bound: 20, chunks: 7 },
    ]);
    const findings = [];
    for await (const { findings: found } of verify(inSlices.unguarded)) findings.push(...found);
    expect(findings).toEqual([]);
  });

  it('of one slice is a job like any other', async () => {
    const { orderId } = await given(5);
    const euiccs = await registered(deployment, 5);
    const request = new Request(orderId, itemsFor(euiccs));
    const other = new Request(orderId, itemsFor(euiccs));
    await take(inSlices, await uploaded(request.der));
    await plan(inSlices, jobIdOf(request));
    await take(inCalls, other.der);
    const [large, small] = [await jobOf(jobIdOf(request)), await jobOf(jobIdOf(other))];
    expect(large.slices).toBeUndefined();
    expect(large.chunkOffsets).toEqual(small.chunkOffsets);
    expect(large.runs).toEqual([[0, 0, 5]]);
    const { items } = await inSlices.context.ledger.query(jobPartition(jobIdOf(request)), {
      prefix: 'slice#',
    });
    expect(items).toEqual([]);
  });

  it('of one slice keeps none beside its record, though an attempt at reading it was slower', async () => {
    const { orderId } = await given(5);
    const request = new Request(orderId, itemsFor(await registered(deployment, 5)));
    const jobId = jobIdOf(request);
    const { ledger, vault } = deployment.runtime.context;
    await take(inSlices, await uploaded(request.der));
    const isStored = async () => {
      for await (const _ of vault.names(`requests/${jobId}-`)) return true;
      return false;
    };
    const others = Promise.withResolvers<void>();
    const hold = async () => {
      if (await isStored()) await others.promise;
    };
    const { config, runtime } = deployment;
    const slower = await MortalProcess.start(
      { config: { ...config, inlineLimit: SMALL }, runtime },
      { hold },
      { lanes: 'none' },
    );
    const late = slower.runtime.work.runTask('request', jobId, 0);
    await expect.poll(isStored).toBe(true);
    await plan(inSlices, jobId);
    others.resolve();
    await late;
    expect((await ledger.query(jobPartition(jobId), { prefix: 'slice#' })).items).toEqual([]);
    await bind(inSlices, jobId);
    expect(await request.fetch(inSlices)).toMatchObject({ state: 'Done', failed: [] });
  });

  it('is refused for its head within the call', async () => {
    const { orderId } = await given(1);
    const unknown = new Request('NO-SUCH-ORDER', many(12));
    expect((await refusalOf(take(inSlices, await uploaded(unknown.der)))).code).toBe('orderUnknown');
    await inSlices.services.orders.closeOrder(OPERATOR, { orderId });
    const closed = new Request(orderId, many(12));
    expect((await refusalOf(take(inSlices, await uploaded(closed.der)))).code).toBe('orderExpired');
    const { der } = new Request(orderId, many(12));
    const longer = Buffer.concat([der, Buffer.of(0)]);
    expect((await refusalOf(take(inSlices, await uploaded(longer)))).code).toBe('protocolFormat');
  });

  it('that turns out to be none is refused with what is wrong, then and again, and draws nothing', async () => {
    const { orderId } = await given(12);
    const ids = range(12).map((i) => ({ itemId: i === 10 ? 3 : i, eid: UNKNOWN }));
    const request = new Request(orderId, ids);
    const jobId = jobIdOf(request);
    const upload = await uploaded(request.der);
    await take(inSlices, upload);
    await plan(inSlices, jobId);
    for (const ask of [() => take(inSlices, upload), () => request.fetch(inSlices)])
      expect(await refusalOf(ask())).toMatchObject({
        code: 'protocolFormat',
        message: 'itemId 3 occurs twice',
      });
    expect(await positionsOf(inSlices, orderId)).toMatchObject({ supply: range(12) });
    const { ledger } = inSlices.context;
    const open = [ledgerKeys.openWork('request', jobId), ledgerKeys.openWork('job', jobId)];
    expect(await ledger.getMany(open)).toEqual([undefined, undefined]);
    const { jobs } = await inSlices.services.inventory.listJobs({ orderId });
    expect(jobs).toMatchObject([
      { state: 'Refused', reason: { message: 'itemId 3 occurs twice' }, items: 0 },
    ]);
    // its requestId is used
    const other = new Request(orderId, many(12), { id: request.id });
    for (const [runtime, sent] of [
      [inSlices, await uploaded(other.der)],
      [inCalls, other.der],
    ] as const)
      expect(await refusalOf(take(runtime, sent))).toMatchObject({
        code: 'requestChanged',
        message: /new one/,
      });
  });

  it('is read again where what was read of it is damaged, and refused for what is wrong with it alone', async () => {
    const { orderId } = await given(24);
    const request = new Request(orderId, itemsFor(await registered(deployment, 24)));
    const jobId = jobIdOf(request);
    await take(inSlices, await uploaded(request.der));
    const { vault } = inSlices.context;
    const getStream = vault.getStream.bind(vault);
    vault.getStream = async function* (ref) {
      for await (const piece of getStream(ref)) {
        const damaged = Buffer.from(piece);
        damaged.fill(0xff, 320);
        // in pieces, so that it is told before the end what is wrong with them
        for (let at = 0; at < damaged.length; at += 64) yield damaged.subarray(at, at + 64);
      }
      throw new Error('the object is damaged');
    };
    try {
      await expect(inSlices.work.runTask('request', jobId, 0)).rejects.toThrow('damaged');
    } finally {
      vault.getStream = getStream;
    }
    expect(await inSlices.work.finish('request', jobId)).toBe(false);
    await plan(inSlices, jobId);
    await bind(inSlices, jobId);
    expect(await request.fetch(inSlices)).toMatchObject({ state: 'Done', failed: [] });
  });

  it('whose octets are gone before they were read is taken on from those that come again', async () => {
    const { orderId } = await given(9);
    const request = new Request(orderId, itemsFor(await registered(deployment, 9)));
    const jobId = jobIdOf(request);
    const upload = await uploaded(request.der);
    await take(inSlices, upload);
    await inSlices.context.vault.remove(upload.name);
    await expect(inSlices.work.runTask('request', jobId, 0)).rejects.toThrow();
    expect(await take(inSlices, await uploaded(request.der))).toMatchObject({ state: 'Pending' });
    await plan(inSlices, jobId);
    await bind(inSlices, jobId);
    expect(await request.fetch(inSlices)).toMatchObject({ state: 'Done', failed: [] });
  });
});

describe('the end of an order while a large request of it is planned', () => {
  const ENDS = { closed: 'closeOrder', cancelled: 'cancelOrder' } as const;
  it.each(['closed', 'cancelled'] as const)(
    '%s: what has no position yet is refused item by item',
    async (how) => {
      const { orderId } = await given(18);
      const request = new Request(orderId, itemsFor(await registered(deployment, 18)));
      const jobId = jobIdOf(request);
      await take(inSlices, await uploaded(request.der));
      await plansSlices(2, jobId);
      await inSlices.services.orders[ENDS[how]](OPERATOR, { orderId });
      await plan(inSlices, jobId);
      const slices = await inSlices.context.ledger.query(jobPartition(jobId), { prefix: 'slice#' });
      expect(slices.items.map((item) => requestSlice.from(item).runs)).toEqual([
        [[0, 0, 6]],
        [[6, 6, 6]],
        [],
      ]);
      await bind(inSlices, jobId);
      expect(new Set((await outcomesOf(jobId)).map((one) => one.split(': ')[1]))).toEqual(
        new Set(['orderExpired']),
      );
      const { counts } = await inSlices.services.orders.getOrderStatus(OPERATOR, { orderId });
      expect(counts).toEqual({ Closed: 18 });
    },
  );

  it('other requests draw between its slices, and no position goes twice', async () => {
    const { orderId } = await given(18);
    const euiccs = await registered(deployment, 18);
    const request = new Request(orderId, itemsFor(euiccs.slice(0, 14)));
    const jobId = jobIdOf(request);
    await take(inSlices, await uploaded(request.der));
    await plansSlices(1, jobId);
    const between = new Request(orderId, itemsFor(euiccs.slice(14)));
    await take(inCalls, between.der);
    await bind(inCalls, jobIdOf(between));
    await plan(inSlices, jobId);
    await bind(inSlices, jobId);
    const all = [...(await outcomesOf(jobId)), ...(await outcomesOf(jobIdOf(between)))];
    const positions = all.map((one) => Number(one.split(': ')[1]));
    expect(positions.toSorted((a, b) => a - b)).toEqual(range(18));
    expect(positions.slice(0, 6)).toEqual(range(6));
  });
});

/** Plans until so many slices have drawn, and is ended there. */
async function plansSlices(count: number, jobId: string): Promise<void> {
  const { config, runtime } = deployment;
  const { ledger } = runtime.context;
  const hold = async () => {
    const { items } = await ledger.query(jobPartition(jobId), { prefix: 'slice#' });
    const drawn = items.filter((item) => requestSlice.from(item).drawn !== 'none');
    if (drawn.length === count) throw new Error('the end');
  };
  const process = await MortalProcess.start({ config: { ...config, inlineLimit: SMALL }, runtime }, { hold });
  await expect(process.runtime.work.runTask('request', jobId, 0)).rejects.toThrow('the end');
}

describe('what is asked for slice by slice', () => {
  const REQUESTS = effort({ short: 5, long: 30 });
  const POOL = 30;
  let euiccs: readonly PersonalisedEuicc[];
  beforeAll(async () => {
    euiccs = await registered(deployment, POOL, { keys: effort({ short: 20, long: 64 }) });
  });

  it(`comes to what it comes to within a call, damaged or not: ${REQUESTS} times`, async () => {
    const random = randomNumbers(41);
    const verdicts = new Set<string>();
    for (let n = 0; n < REQUESTS; n++) {
      const count = 7 + random(15);
      const quantity = Math.max(1, count - 4 + random(8));
      const share = random(3) === 0 ? 1 + random(quantity) : undefined;
      const orders = [
        await given(count, { quantity, ...(share && { share }) }),
        await given(count, { quantity, ...(share && { share }) }),
      ];
      const named = random(2) === 0;
      const wanted = range(count).map((i) => ({
        itemId: random(40) === 0 ? random(count) : i,
        eid: random(6) === 0 ? UNKNOWN : euiccs[random(POOL)]!.eid,
        additional: random(3) === 0,
        // of this order, perhaps twice, or of none
        wish: named && random(3) === 0 ? random(quantity + 2) : undefined,
      }));
      const octet = random(3) === 0 ? { at: random(1 << 20), value: random(256) } : undefined;
      const [inCall, inSlice] = orders.map(({ orderId, iccids }) => {
        const items = wanted.map(
          ({ wish, ...item }): RequestItem => ({
            ...item,
            ...(wish !== undefined && { iccid: iccids[wish] ?? '8988211000000000005' }),
          }),
        );
        const request = new Request(orderId, items);
        const der = Buffer.from(encodeBppRequest({ requestId: request.id, orderId, items }));
        // behind the head, whose refusals are told at once
        if (octet !== undefined) der[40 + (octet.at % (der.length - 40))] = octet.value;
        return { request, der };
      });
      const expected = await withinCall(inCall!.request, inCall!.der);
      expect(await asSlices(inSlice!.request, inSlice!.der), `request ${n}`).toEqual(expected);
      verdicts.add(Array.isArray(expected) ? 'taken' : 'refused');
      const [one, other] = orders as [(typeof orders)[0], (typeof orders)[0]];
      expect(await positionsOf(inSlices, other.orderId)).toEqual(await positionsOf(inCalls, one.orderId));
      const { ledger } = inSlices.context;
      const maker = DEVICE_MAKER.identifier;
      if (share !== undefined)
        expect(await left(ledger, other.orderId, maker)).toBe(await left(ledger, one.orderId, maker));
    }
    expect(verdicts).toEqual(new Set(['taken', 'refused']));
  });

  it('an item that names its ICCID gets it, though a slice before it could have drawn it', async () => {
    const { orderId, iccids } = await given(13);
    const some = euiccs.slice(0, 13);
    const items = some.map(({ eid }, i) => (i === 12 ? { eid, iccid: iccids[0]! } : { eid }));
    const request = new Request(orderId, items);
    const outcomes = await asSlices(request, request.der);
    expect(outcomes).toEqual([...range(12).map((i) => `${i + 1}: ${i + 1}`), '13: 0']);
  });

  it('a replacement goes to its eUICC, in whichever slice it is', async () => {
    const { orderId } = await given(14);
    const some = euiccs.slice(0, 13);
    const last = some.at(-1)!;
    const [{ bound }] = boundOf(await new Request(orderId, [{ eid: last.eid }]).send(inCalls)) as [
      BoundBppItem,
    ];
    const fpaError = { transactionId: bound.transactionId, eid: last.eid, cause: 'damaged' } as const;
    const report = encodeProfileLoadingReport({ reportId: randomBytes(8), items: [{ fpaError }] });
    await inCalls.services.reports.sendProfileLoadingReport(DEVICE_MAKER, report);
    const { iccid } = bound;
    const replacement = await inCalls.services.orders.replaceProfile(OPERATOR, { orderId, iccid });
    const request = new Request(orderId, itemsFor(some));
    const outcomes = await asSlices(request, request.der);
    const owner = await deployment.runtime.context.ledger.get(ledgerKeys.iccid(replacement.iccid));
    expect(outcomes).toEqual([
      ...range(12).map((i) => expect.stringMatching(`^${i + 1}: \\d+$`)),
      `13: ${owner?.attributes.position}`,
    ]);
  });
});

async function left(ledger: Runtime['context']['ledger'], orderId: string, maker: string): Promise<number> {
  const { drawn, returned } = await shareOf(ledger, orderId, maker);
  return drawn - returned;
}

const UNKNOWN = '89049032123451234512345678901235';
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const many = (count: number) => range(count).map(() => ({ eid: UNKNOWN }));
