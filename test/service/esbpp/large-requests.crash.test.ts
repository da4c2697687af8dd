import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '../../../shared/errors.ts';
import { scanAllSpread } from '../../../shared/ledger/scan.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import { LISTED } from '../../../shared/service/esed1/euicc-batches.ts';
import {
  chunkCount,
  chunkRecord,
  isBound,
  jobRecord,
  requestSlice,
} from '../../../shared/service/records/job.ts';
import { jobPartition, ledgerKeys, traceStripes } from '../../../shared/service/records/keys.ts';
import { recordedJobs } from '../../../shared/service/records/locked-records.ts';
import { traceRecord } from '../../../shared/service/records/trace.ts';
import { verify } from '../../../shared/service/verify/verify.ts';
import type { ObjectRef } from '../../../shared/vault/vault.ts';
import type { PersonalisedEuicc } from '../../../sim/index.ts';
import { count } from '../../support/counts.ts';
import { DEVICE_MAKER, Deployment } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { scattered } from '../../support/large-batch.ts';
import { uploadedRequest } from '../../support/uploads.ts';
import { type Fate, MortalProcess, rests } from '../mortal.ts';
import { auditLines, planLarge, positionsOf, prepare, Request } from '../scenario.ts';

/** Two items a chunk, two chunks a slice: three slices, the last of one chunk. */
const CONFIG = {
  chunkSize: 2,
  requestSlice: 4,
  packSize: 5,
  inlineOrder: 100,
  inlineLimit: 60,
  // an upload for each death
  uploads: { count: 10_000, octets: 1 << 30 },
};
const ITEMS = 10;
/** Entries that are none behind each of those of the eUICCs: 2,510, in six slices. */
const SCRAPS = 250;
/** Calls from one that dies to the next, of a plain request and of others, which have most of their calls in common with it. */
const EVERY = effort({ short: 19, long: 1 });
const SOME = effort({ short: 29, long: 5 });

let deployment: Deployment;
/** The deployment, with work that nobody but the test does. */
let runtime: Runtime;
let made = 0;
beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, lanes: 'none', config: CONFIG });
  runtime = deployment.runtime;
});
afterAll(() => deployment?.close());

interface Given {
  readonly orderId: string;
  readonly request: Request;
  readonly jobId: string;
  readonly upload: ObjectRef;
  readonly euiccs: readonly PersonalisedEuicc[];
}

interface Wanted {
  /** The last item names the ICCID of the first profile. */
  readonly isNamed: boolean;
  /** With the data of its eUICCs inside. */
  readonly isForwarded: boolean;
  /** With an itemId that occurs twice. */
  readonly isNone: boolean;
}

async function given({ isNamed, isForwarded, isNone }: Wanted): Promise<Given> {
  const orderId = `PLANNED-${made++}`;
  const iccids = await prepare(deployment, orderId, ITEMS);
  const euiccs = [...deployment.eum.production(ITEMS, 1)];
  const items = euiccs.map(({ eid }, i) => ({
    eid,
    ...(isNone && { itemId: i === ITEMS - 1 ? 0 : i }),
    ...(isNamed && i === ITEMS - 1 && { iccid: iccids[0]! }),
  }));
  const euiccData = scattered(deployment.eum.euiccDataBatch(euiccs, {}), SCRAPS);
  const request = new Request(orderId, items, isForwarded ? { euiccData } : {});
  const upload = await uploadedRequest(runtime, request.der);
  return { orderId, request, jobId: request.jobId('test'), upload, euiccs };
}

/** Takes the request on and plans it, as a call and the work after it do. */
const takesAndPlans =
  ({ upload, jobId }: Given) =>
  async ({ services, context, work }: Runtime): Promise<void> => {
    try {
      await services.delivery.requestBpp(DEVICE_MAKER, upload);
    } catch (error) {
      // a repeat is told why it is none
      if (!(error instanceof Refusal)) throw error;
      return;
    }
    await planLarge({ context, work }, jobId);
  };

/** A process whose work nobody does but the test. */
const start = (fate?: Fate) => MortalProcess.start(deployment, fate, { lanes: 'none' });

async function slicesOf(jobId: string) {
  const { items } = await runtime.context.ledger.query(jobPartition(jobId), { prefix: 'slice#' });
  return items.map((item) => requestSlice.from(item));
}

async function expectPlanned(
  { orderId, request, jobId, upload }: Given,
  { isNamed, isForwarded }: Pick<Wanted, 'isNamed' | 'isForwarded'>,
) {
  const { ledger, vault } = runtime.context;
  const job = jobRecord.from((await ledger.get(ledgerKeys.job(jobId)))!);
  expect(job).toMatchObject({ items: ITEMS, slices: { chunks: 5, ofSlice: 2 } });
  expect(job.refusedData).toHaveLength(isForwarded ? LISTED : 0);
  expect(job.planning).toBeUndefined();
  const runs = (await slicesOf(jobId)).map((slice) => slice.runs);
  expect(runs).toEqual(
    isNamed
      ? [
          [[0, 1, 4]],
          [[4, 5, 4]],
          [
            [8, 9, 1],
            [9, 0, 1],
          ],
        ]
      : [[[0, 0, 4]], [[4, 4, 4]], [[8, 8, 2]]],
  );
  expect(await positionsOf(runtime, orderId)).toMatchObject({ supply: [], returned: [] });
  const open = (['request', 'euiccData', 'job'] as const).map((kind) => ledgerKeys.openWork(kind, jobId));
  expect((await ledger.getMany(open)).map((item) => item !== undefined)).toEqual([false, false, true]);
  expect(await auditLines(runtime, 'request.taken', { job: jobId, items: ITEMS })).toBe(1);
  const recorded: string[] = [];
  for await (const one of recordedJobs(vault)) recorded.push(one);
  expect(recorded).toContain(jobId);
  // the request under its own name, and what other attempts wrote of it gone or traced
  expect(await vault.head(job.request!.name)).toMatchObject({ sha256: job.bodyHash });
  await expectTraced(jobId, job.request!.name);
  expect(await request.fetch(runtime)).toMatchObject({ state: 'Pending', items: ITEMS, processed: 0 });
  expect(await runtime.services.delivery.requestBpp(DEVICE_MAKER, upload)).toMatchObject({ items: ITEMS });
}

/** Every object that a lost attempt wrote has a trace that ends it. */
async function expectTraced(jobId: string, counts: string): Promise<void> {
  const { ledger, vault } = runtime.context;
  const traces = (await scanAllSpread(ledger, traceStripes)).map(traceRecord.from);
  const traced = new Set(traces.flatMap(({ objects }) => objects));
  for await (const name of vault.names(`requests/${jobId}-`))
    if (name !== counts) expect(traced).toContain(name);
  expect(traced).not.toContain(counts);
}

/** Dies at each store call in turn, before it and after it; then one process, or two at once, that live. */
async function atEveryCall(wanted: Wanted, check: (given: Given) => Promise<void>): Promise<void> {
  const stride = wanted === PLAIN ? EVERY : SOME;
  let ended = false;
  for (let call = 1; !ended; call += stride)
    for (const when of ['before', 'after'] as const) {
      const one = await given(wanted);
      const dying = await start({ call, when });
      await dying.run(takesAndPlans(one));
      ended = dying.calls < call;
      if (!ended) count('crashes', 1);
      const seeds = call % 2 === 0 ? [call, -call] : [];
      const others =
        seeds.length === 0
          ? [await start()]
          : await Promise.all(seeds.map((seed) => start({ restMs: rests(seed) })));
      await Promise.all(others.map((other) => other.run(takesAndPlans(one))));
      // whoever of two lost the last race leaves it to the next look
      await takesAndPlans(one)(runtime);
      await check(one);
    }
}

const PLAIN: Wanted = { isNamed: false, isForwarded: false, isNone: false };

describe('a large request whose process dies', { tags: ['I4', 'I10'] }, () => {
  it.each([
    ['is planned once, in the same slices', PLAIN],
    ['whose items name ICCIDs is planned once', { ...PLAIN, isNamed: true }],
    ['with eUICC data inside takes it in and is planned once', { ...PLAIN, isForwarded: true }],
  ] as const)('%s', async (_what, wanted) => {
    await atEveryCall(wanted, (one) => expectPlanned(one, wanted));
  });

  it('with eUICC data inside comes to its end though no process lives for more than a part of that', async () => {
    const wanted = { ...PLAIN, isForwarded: true };
    const living = await start();
    await living.run(takesAndPlans(await given(wanted)));
    const call = Math.ceil(living.calls / 2);
    const one = await given(wanted);
    let lives = 0;
    for (let ended = false; !ended; lives++) {
      expect(lives).toBeLessThan(10);
      const dying = await start({ call });
      await dying.run(takesAndPlans(one));
      ended = dying.calls < call;
    }
    expect(lives).toBeGreaterThan(2);
    count('crashes', lives - 1);
    await expectPlanned(one, wanted);
  });

  it('that is none is refused once, and draws nothing', async () => {
    await atEveryCall({ ...PLAIN, isNone: true }, async ({ orderId, jobId, request, upload }) => {
      for (const ask of [
        () => request.fetch(runtime),
        () => runtime.services.delivery.requestBpp(DEVICE_MAKER, upload),
      ])
        await expect(ask()).rejects.toThrow('itemId 0 occurs twice');
      expect(await slicesOf(jobId)).toEqual([]);
      expect(await positionsOf(runtime, orderId)).toMatchObject({ supply: [...Array(ITEMS).keys()] });
      expect(await runtime.context.ledger.get(ledgerKeys.openWork('request', jobId))).toBeUndefined();
    });
  });

  it('is bound to its end, each item once, and stands up to verification', async () => {
    const wanted = { ...PLAIN, isForwarded: true };
    const one = await given(wanted);
    await takesAndPlans(one)(runtime);
    await expectPlanned(one, wanted);
    const { jobId } = one;
    const job = jobRecord.from((await runtime.context.ledger.get(ledgerKeys.job(jobId)))!);
    for (let chunk = chunkCount(job) - 1; chunk >= 0; chunk--)
      await runtime.work.runTask('job', jobId, chunk);
    expect(await runtime.work.finish('job', jobId)).toBe(true);
    const keys = Array.from({ length: 5 }, (_, chunk) => ledgerKeys.chunk(jobId, chunk));
    const outcomes = (await runtime.context.ledger.getMany(keys)).flatMap(
      (item) => chunkRecord.from(item!).outcomes,
    );
    expect(outcomes.map((outcome) => isBound(outcome) && outcome.position)).toEqual([...Array(ITEMS).keys()]);
    const findings = [];
    for await (const { findings: found } of verify(runtime.unguarded)) findings.push(...found);
    expect(findings).toEqual([]);
  });
});
