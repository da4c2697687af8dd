import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import { isBound } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { readCommitRecord } from '../../../shared/service/records/locked-records.ts';
import { objectNames } from '../../../shared/service/records/object-names.ts';
import { count } from '../../support/counts.ts';
import { Deployment, EUM } from '../../support/deployment.ts';
import { effort, LONG } from '../../support/effort.ts';
import { type Fate, MortalProcess, rests } from '../mortal.ts';
import {
  auditLines,
  committed,
  outcomesOf,
  positionsOf,
  ppksLeft,
  prepare,
  Request,
  register,
  triplesOf,
} from '../scenario.ts';

/** One request with every kind of item; the order has a profile less than there are items. */
const OUTCOMES = [
  'bound',
  'eidUnknown',
  'notEligible',
  // the same EID again, without asking for an additional profile
  'noNewBinding',
  // the same EID twice, the second time with `additional`
  'bound',
  'bound',
  'oneTimeKeyUnavailable',
  'profileTypeExhausted',
];
const QUANTITY = 7;
const BOUND = [0, 4, 5];
const RETURNED = [1, 2, 3, 6];

let deployment: Deployment;
let made = 0;
/** Store calls from one death to the next. */
const STRIDE = effort({ short: 7, long: 1 });
/** Interleavings of two attempts. */
const SEEDS = effort({ short: 3, long: 8 });
const answers: BppAnswer[] = [];

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { packSize: 4, chunkSize: 20 } });
});

afterAll(() => deployment?.close());

async function scenario(): Promise<{ orderId: string; request: Request }> {
  const orderId = `ORD-${made++}`;
  const { eum, runtime } = deployment;
  await prepare(deployment, orderId, QUANTITY);
  const plain = eum.personalise();
  const unknown = eum.personalise();
  const small = eum.personalise({ features: { freeNonVolatileMemory: 10 } });
  const twice = eum.personalise({ keys: 2 });
  const closed = eum.personalise();
  const late = eum.personalise();
  await register(deployment, [plain, small, twice, closed, late]);
  await runtime.services.ingest.closeKeys(EUM, [{ eid: closed.eid }]);
  const request = new Request(orderId, [
    { eid: plain.eid },
    { eid: unknown.eid },
    { eid: small.eid },
    { eid: plain.eid },
    { eid: twice.eid },
    { eid: twice.eid, additional: true },
    { eid: closed.eid },
    { eid: late.eid },
  ]);
  return { orderId, request };
}

/** Everything that must hold once a request is answered, however the way there was. */
async function expectSettled(orderId: string, request: Request, first: BppAnswer): Promise<void> {
  const { runtime } = deployment;
  const { context } = runtime;
  expect(outcomesOf(first)).toEqual(OUTCOMES);
  for (const again of [await request.send(runtime), await request.fetch(runtime)])
    expect(again).toEqual(first);

  const jobId = request.jobId('test');
  const record = await committed(runtime, jobId, 0);
  expect(record.outcomes.filter(isBound).map(({ position }) => position)).toEqual(BOUND);
  expect(await positionsOf(runtime, orderId)).toEqual({ supply: [], returned: RETURNED, bound: BOUND });
  expect(await ppksLeft(runtime, orderId)).toEqual(RETURNED);

  const kept = await readCommitRecord(context.vault, objectNames.commitRecord(jobId, 0, record.committedAt));
  expect(kept).toMatchObject({ jobId, chunk: 0, part: record.part, outcomes: record.outcomes });
  expect(await context.ledger.get(ledgerKeys.openWork('job', jobId))).toBeUndefined();
  answers.push(first);
}

/** How many store calls the request takes when nothing goes wrong. */
async function callsOf(): Promise<number> {
  const { orderId, request } = await scenario();
  const process = await MortalProcess.start(deployment);
  const answer = await process.run(request.send);
  await expectSettled(orderId, request, answer!);
  return process.calls;
}

async function inTwoAtOnce(request: Request, seed: number, fate: Fate = {}): Promise<BppAnswer[]> {
  const processes = [
    await MortalProcess.start(deployment, { restMs: rests(seed), ...fate }),
    await MortalProcess.start(deployment, { restMs: rests(seed + 1) }),
  ];
  const results = await Promise.all(processes.map((process) => process.run(request.send)));
  return results.filter((answer) => answer !== undefined);
}

describe('a request is committed once, whatever happens on the way (I1–I5, I8)', {
  tags: ['I1', 'I2', 'I3', 'I4', 'I5', 'I8', 'GENS04', 'GENS08'],
}, () => {
  it.each(['before', 'after'] as const)(
    'where the process dies %s any one store call and another goes on',
    async (when) => {
      const calls = await callsOf();
      expect(calls).toBeGreaterThan(30);
      for (let call = 1; call <= calls; call += STRIDE) {
        const { orderId, request } = await scenario();
        const mortal = await MortalProcess.start(deployment, { call, when });
        await mortal.run(request.send);
        count('crashes', 1);
        const healthy = await MortalProcess.start(deployment);
        const answer = await healthy.run(request.send);
        await expectSettled(orderId, request, answer!);
      }
    },
  );

  it('by two attempts at once', async () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { orderId, request } = await scenario();
      const [one, other] = await inTwoAtOnce(request, seed);
      expect(one).toEqual(other);
      await expectSettled(orderId, request, one!);
    }
  });

  it('by two attempts at once after a third has died, of which one dies as well', async () => {
    const calls = await callsOf();
    for (let call = 1; call <= calls; call += 4 * STRIDE) {
      const { orderId, request } = await scenario();
      const mortal = await MortalProcess.start(deployment, { call, when: 'after' });
      await mortal.run(request.send);
      const [one] = await inTwoAtOnce(request, call, { call: calls - call + 1, when: 'after' });
      count('crashes', 2);
      await expectSettled(orderId, request, one!);
    }
  });

  it('and over all of these requests no profile and no key went out twice, and each commit left one line', async () => {
    const triples = answers.flatMap(triplesOf).map((triple) => triple.split(' '));
    expect(triples.length).toBe(BOUND.length * answers.length);
    expect(answers.length).toBeGreaterThan(LONG ? 84 : 28);
    for (const member of [1, 2]) expect(new Set(triples.map((one) => one[member])).size).toBe(triples.length);
    expect(await auditLines(deployment.runtime, 'chunk.committed', {})).toBe(answers.length);
    expect(await auditLines(deployment.runtime, 'request.taken', {})).toBe(answers.length);
  });
});
