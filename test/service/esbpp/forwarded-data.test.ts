import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, concat } from '../../../shared/codec/bytes.ts';
import { readTlvHeader, splitElements, tlv } from '../../../shared/codec/tlv.ts';
import { Refusal } from '../../../shared/errors.ts';
import { openRuntime, type Runtime } from '../../../shared/runtime.ts';
import { loadIngest } from '../../../shared/service/esed1/euicc-batches.ts';
import { ingestSliceCount } from '../../../shared/service/records/ingest.ts';
import { chunkCount, chunkRecord, isBound, jobRecord } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { openWorkOf } from '../../../shared/service/records/work.ts';
import { verify } from '../../../shared/service/verify/verify.ts';
import type { ObjectRef } from '../../../shared/vault/vault.ts';
import { generateKey } from '../../../sim/curve.ts';
import { type PersonalisedEuicc, SimEum } from '../../../sim/index.ts';
import { reproveKeys } from '../../../sim/misuse.ts';
import { DEVICE_MAKER, Deployment } from '../../support/deployment.ts';
import { effort } from '../../support/effort.ts';
import { scattered, withEntries } from '../../support/large-batch.ts';
import { randomNumbers } from '../../support/random-numbers.ts';
import { uploadedRequest } from '../../support/uploads.ts';
import { planLarge, prepare, Request, register } from '../scenario.ts';

/*
 * eUICC data inside a request that is too large for a call (path B): a batch of its own, whose slices are verified each by itself,
 * comes to what the same data comes to within a call.
 */

const CONFIG = {
  chunkSize: 3,
  requestSlice: 6,
  packSize: 4,
  inlineOrder: 2_000,
  uploads: { count: 10_000, octets: 1 << 30 },
};
/** Whatever is larger than this many octets is an upload that is too large for a call. */
const SMALL = 60;
const EUICCS = 8;
/** Entries that are none behind each other: 968 entries, in two slices. */
const SCRAPS = 120;

let deployment: Deployment;
let inCalls: Runtime;
let inSlices: Runtime;
/** Another EUM, of which nobody has heard. */
let stranger: SimEum;
let victim: PersonalisedEuicc;
let made = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, lanes: 'none', config: CONFIG });
  inCalls = deployment.runtime;
  const { config, runtime } = deployment;
  const { ledger, vault, ppks } = runtime.unguarded;
  inSlices = await openRuntime(
    { ...config, inlineLimit: SMALL },
    { lanes: 'none', stores: { ledger, vault, ppks }, keys: runtime.keys },
  );
  stranger = SimEum.create({ ci: deployment.ci, firstSerial: 900 });
  victim = deployment.eum.personalise({ keys: 2 });
  await register(deployment, [victim]);
});
afterAll(() => deployment?.close());

/** What may be wrong with an entry: what its eUICC is, or what becomes of its element. */
const ENTRIES: Readonly<
  Record<
    string,
    { euicc?: (good: PersonalisedEuicc) => PersonalisedEuicc; element?: (entry: Bytes) => Bytes }
  >
> = {
  good: {},
  'a proof by another key': { euicc: withProofOfAnother },
  'the one-time key of another eUICC': { euicc: (good) => reproveKeys(good, victim) },
  'a certificate of another EUM': { euicc: () => stranger.personalise({ keys: 2 }) },
  'an unknown field at its end': {
    element: (entry) => changed(entry, (fields) => concat(fields, tlv(0x9f55, Buffer.of(1)))),
  },
  'an end that is missing': { element: (entry) => changed(entry, (fields) => fields.subarray(0, -9)) },
  'come before': { element: (entry) => concat(entry, entry) },
};

function withProofOfAnother(good: PersonalisedEuicc): PersonalisedEuicc {
  return { ...good, oneTimeKeys: good.oneTimeKeys.map((key) => ({ ...key, key: generateKey('p256') })) };
}

const changed = (entry: Bytes, change: (fields: Bytes) => Bytes): Bytes =>
  tlv(0x30, change(entry.subarray(readTlvHeader(entry).headerLength)));

/** What may be wrong with a batch as a whole. */
const BATCHES: Readonly<Record<string, (batch: Bytes, at: number) => Bytes>> = {
  nothing: (batch) => batch,
  'a length that reaches beyond all entries': (batch, at) =>
    withEntries(batch, (own) => {
      const entries = splitElements(own);
      const broken = Buffer.from(entries[at % entries.length]!);
      broken.writeUInt32BE(0x30_83_ff_ff, 0);
      entries[at % entries.length] = broken;
      return concat(...entries);
    }),
  'a foreign field behind the entries': (batch) =>
    tlv(0xff60, batch.subarray(readTlvHeader(batch).headerLength), tlv(0x9f55, Buffer.of(1))),
  'an octet that is another': (batch, at) => {
    const damaged = Buffer.from(batch);
    // behind the names, the chain and the EuiccInfo2, or in them
    damaged[5 + (at % (batch.length - 5))]! ^= 1 + (at % 255);
    return damaged;
  },
};

interface Recipe {
  readonly entries: readonly string[];
  readonly batch: string;
  readonly at: number;
  readonly isSigned: boolean;
  readonly isOfStranger: boolean;
}

/** Two requests of the same eUICCs, with the data that the recipe makes of them: each eUICC has a key for either. */
async function given({ entries, batch, at, isSigned, isOfStranger }: Recipe) {
  const eum = isOfStranger ? stranger : deployment.eum;
  const euiccs = entries.map((name) => {
    const good = eum.personalise({ keys: 2 });
    return ENTRIES[name]?.euicc?.(good) ?? good;
  });
  const plain = eum.euiccDataBatch(euiccs, isSigned ? { dataKey: generateKey('p256') } : {});
  const spoilt = withEntries(plain, (own) =>
    concat(...splitElements(own).map((entry, i) => ENTRIES[entries[i]!]?.element?.(entry) ?? entry)),
  );
  const euiccData = BATCHES[batch]!(scattered(spoilt, SCRAPS), at);
  return [await requestOf(euiccs, euiccData), await requestOf(euiccs, euiccData)] as const;
}

async function requestOf(euiccs: readonly PersonalisedEuicc[], euiccData: Bytes) {
  const orderId = `FORWARDED-${String(made++).padStart(3, '0')}`;
  await prepare(deployment, orderId, EUICCS);
  const items = euiccs.map(({ eid }) => ({ eid }));
  const request = new Request(orderId, items, { euiccData });
  return { orderId, request, jobId: request.jobId('test') };
}

const uploaded = (content: Bytes) => uploadedRequest(deployment.runtime, content);

const take = ({ services }: Runtime, sent: Bytes | ObjectRef) =>
  services.delivery.requestBpp(DEVICE_MAKER, sent);

type Given = Awaited<ReturnType<typeof requestOf>>;

/** What came of each item, and of each entry that was refused. */
async function cameOf({ work, context: { ledger } }: Runtime, { jobId }: Given) {
  const job = jobRecord.from((await ledger.get(ledgerKeys.job(jobId)))!);
  for (let chunk = 0; chunk < chunkCount(job); chunk++) await work.runTask('job', jobId, chunk);
  expect(await work.finish('job', jobId)).toBe(true);
  const keys = Array.from({ length: chunkCount(job) }, (_, chunk) => ledgerKeys.chunk(jobId, chunk));
  const items = (await ledger.getMany(keys)).flatMap((item) =>
    chunkRecord
      .from(item!)
      .outcomes.map((one) => (isBound(one) ? one.position : `${one.refusal}: ${one.message}`)),
  );
  return { items, entries: job.refusedData };
}

/** What becomes of it, or how it is refused. */
async function verdict(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, message, offset } = error;
    return { code, message, offset };
  }
}

const withinCall = (one: Given) =>
  verdict(async () => {
    await take(inCalls, one.request.der);
    return await cameOf(inCalls, one);
  });

/** Its slices one after the other, in any order, some of them twice at once and all of them again. */
const asSlices = (one: Given, random: (limit: number) => number) =>
  verdict(async () => {
    const { jobId, request } = one;
    const { work, context } = inSlices;
    expect(await take(inSlices, await uploaded(request.der))).toMatchObject({ state: 'Pending', items: 0 });
    await work.runTask('request', jobId, 0);
    expect(await work.finish('request', jobId)).toBe(true);
    const open = await context.ledger.get(ledgerKeys.openWork('euiccData', jobId));
    const tasks = open === undefined ? [] : Array.from({ length: openWorkOf(open).tasks }, (_, task) => task);
    for (const task of tasks.toSorted(() => random(3) - 1)) {
      const times = 1 + random(2);
      await Promise.all(Array.from({ length: times }, () => work.runTask('euiccData', jobId, task)));
    }
    for (const task of tasks) await work.runTask('euiccData', jobId, task);
    await planLarge(inSlices, jobId);
    await request.fetch(inSlices);
    return await cameOf(inSlices, one);
  });

describe('eUICC data inside a large request', { tags: ['ESBPP02', 'I6', 'I7'] }, () => {
  const WHOLE = { batch: 'nothing', at: 0, isSigned: false, isOfStranger: false };

  it('is taken in entry by entry, whatever is wrong with some of them', async () => {
    const entries = Object.keys(ENTRIES);
    const recipe = { ...WHOLE, entries };
    const [one, other] = await given(recipe);
    const taken = await asSlices(one, randomNumbers(3));
    const expected = await withinCall(other);
    expect(taken).toEqual(expected);
    const { items } = expected as { items: (number | string)[] };
    expect(items.map((item) => (typeof item === 'number' ? 'bound' : item.split(':')[0]))).toEqual([
      'bound',
      'oneTimeKeyProofInvalid',
      'oneTimeKeyInUse',
      'euiccCertificateInvalid',
      'protocolFormat',
      'protocolFormat',
      // its first entry is taken in
      'eidDuplicate',
    ]);
    const ingest = await loadIngest(inSlices.context.ledger, one.jobId);
    expect(ingestSliceCount(ingest.frame!)).toBe(2);
    expect(ingest).toMatchObject({ forwarded: { entitlement: 'keep' }, done: { accepted: 2 } });
    // of the request, which stays with its job: it has no end of its own
    expect(ingest.batch.name).toMatch(/^requests\//);
    const findings = [];
    for await (const { findings: found } of verify(inSlices.unguarded)) findings.push(...found);
    expect(findings).toEqual([]);
  });

  const TIMES = effort({ short: 8, long: 60 });
  it(`comes to what it comes to within a call, damaged or not: ${TIMES} times`, async () => {
    const random = randomNumbers(17);
    const pick = (names: object) => Object.keys(names)[random(Object.keys(names).length)]!;
    const verdicts = new Set<string>();
    for (let n = 0; n < TIMES; n++) {
      const recipe: Recipe = {
        entries: Array.from({ length: EUICCS }, () => (random(2) === 0 ? 'good' : pick(ENTRIES))),
        batch: random(3) === 0 ? 'nothing' : pick(BATCHES),
        at: random(1 << 20),
        isSigned: random(8) === 0,
        isOfStranger: random(8) === 0,
      };
      const [one, other] = await given(recipe);
      // either may be the first to tell of the eUICCs
      const isFirst = random(2) === 0;
      const before = isFirst ? await asSlices(one, random) : undefined;
      const expected = await withinCall(other);
      const inSlice = before ?? (await asSlices(one, random));
      expect(inSlice, `request ${n}: ${JSON.stringify(recipe)}`).toEqual(expected);
      verdicts.add('items' in (expected as object) ? 'taken' : 'refused');
    }
    expect(verdicts).toEqual(new Set(['taken', 'refused']));
  });

  it('without entries is nothing to wait for', async () => {
    const euiccs = [...deployment.eum.production(3)];
    const euiccData = withEntries(deployment.eum.euiccDataBatch(euiccs), () => new Uint8Array());
    const { request, jobId } = await requestOf(euiccs, euiccData);
    await take(inSlices, await uploaded(request.der));
    await planLarge(inSlices, jobId);
    expect(await request.fetch(inSlices)).toMatchObject({ state: 'Pending', items: 3 });
  });

  it('whose octets are gone goes on once they come again', async () => {
    const [one] = await given({ ...WHOLE, entries: ['good', 'good'] });
    const { jobId, request } = one;
    await take(inSlices, await uploaded(request.der));
    await inSlices.work.runTask('request', jobId, 0);
    const { batch } = await loadIngest(inSlices.context.ledger, jobId);
    await inSlices.context.vault.remove(batch.name);
    await expect(inSlices.work.runTask('euiccData', jobId, 0)).rejects.toThrow();
    expect(await take(inSlices, await uploaded(request.der))).toMatchObject({ state: 'Pending' });
    await planLarge(inSlices, jobId);
    expect((await cameOf(inSlices, one)).items).toEqual([0, 1]);
  });

  it('of an EUM that is revoked between its slices is refused from there on', async () => {
    const eum = SimEum.create({ ci: deployment.ci, firstSerial: 5_000 });
    const { trustAdministration } = deployment.runtime;
    await trustAdministration.allowEum(eum.ca.certificate, { party: '2.999.40' }, 'test');
    const euiccs = [...eum.production(EUICCS)];
    const one = await requestOf(euiccs, scattered(eum.euiccDataBatch(euiccs), SCRAPS));
    const { request, jobId } = one;
    await take(inSlices, await uploaded(request.der));
    await inSlices.work.runTask('request', jobId, 0);
    await inSlices.work.runTask('euiccData', jobId, 0);
    await trustAdministration.revokeEum(Buffer.from(eum.ca.keyId).toString('hex'), 'test');
    await planLarge(inSlices, jobId);
    const { done } = await loadIngest(inSlices.context.ledger, jobId);
    // five of the eight eUICCs lie in the first 500 entries
    expect(done).toMatchObject({ accepted: 5 });
    const { items } = await cameOf(inSlices, one);
    expect(new Set(items.map((item) => String(item).split(':')[0]))).toEqual(new Set(['eumNotAllowed']));
  });
});
