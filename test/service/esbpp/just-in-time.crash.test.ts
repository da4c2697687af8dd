import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../../shared/runtime.ts';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import { closeLane } from '../../../shared/service/esbpp/just-in-time/lane-closing.ts';
import { Reaper } from '../../../shared/service/life/reaper.ts';
import { LIFE_MS } from '../../../shared/service/life/traces.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import { readCommitRecord } from '../../../shared/service/records/locked-records.ts';
import { LANE_PARTS, objectNames } from '../../../shared/service/records/object-names.ts';
import { orderRecord } from '../../../shared/service/records/order.ts';
import { count } from '../../support/counts.ts';
import { DEVICE_MAKER, Deployment } from '../../support/deployment.ts';
import { effort, LONG } from '../../support/effort.ts';
import { MortalProcess, rests } from '../mortal.ts';
import {
  auditLines,
  committed,
  outcomesOf,
  positionsOf,
  ppksLeft,
  prepare,
  Request,
  registered,
  shareOf,
  triplesOf,
} from '../scenario.ts';

const QUANTITY = 4;
/** Store calls from one death to the next. */
const STRIDE = effort({ short: 7, long: 1 });
const SEEDS = effort({ short: 2, long: 12 });

let deployment: Deployment;
let made = 0;

beforeAll(async () => {
  deployment = await Deployment.create({ memory: true, config: { packSize: 4 } });
});

afterAll(() => deployment?.close());

/** Orders with a share and such without one: both in the long run, by turns in the short one. */
const sharesAt = (turn: number): readonly boolean[] => (LONG ? [false, true] : [turn % 2 === 1]);

const shares = (share: number) => ({ shares: { [DEVICE_MAKER.identifier]: share } });

async function scenario(isShared = false): Promise<{ orderId: string; request: Request }> {
  const orderId = `JIT-${made++}`;
  await prepare(deployment, orderId, QUANTITY, isShared ? shares(QUANTITY - 1) : {});
  const [euicc] = await registered(deployment, 1);
  return { orderId, request: new Request(orderId, [{ eid: euicc!.eid }]) };
}

async function partsOf({ context }: Runtime, orderId: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of context.vault.names(`${LANE_PARTS}${orderId}/`)) names.push(name);
  return names;
}

/** All that is due once every lane is: twice, since what a slow attempt writes is looked for again. */
async function reap({ context }: Runtime): Promise<void> {
  for (const lives of [1, 3]) {
    const now = () => Date.now() + lives * LIFE_MS.lane + 1;
    await new Reaper({ ...context, now }, closeLane).round();
  }
}

async function expectSettled(orderId: string, request: Request, first: BppAnswer): Promise<void> {
  const { runtime } = deployment;
  expect(outcomesOf(first)).toEqual(['bound']);
  for (const again of [await request.send(runtime), await request.fetch(runtime)])
    expect(again).toEqual(first);
  const jobId = request.jobId('test');
  const record = await committed(runtime, jobId, 0);
  const kept = await readCommitRecord(
    runtime.context.vault,
    objectNames.commitRecord(jobId, 0, record.committedAt),
  );
  expect(kept).toMatchObject({ jobId, chunk: 0, part: record.part, outcomes: record.outcomes });
  const { supply, returned, bound } = await positionsOf(runtime, orderId);
  expect(bound.length).toBe(1);
  await expectShare(orderId, 1);
  const left = [...supply, ...returned].sort((a, b) => a - b);
  expect([...left, ...bound].sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  expect(await ppksLeft(runtime, orderId)).toEqual(left);
  expect(await auditLines(runtime, 'chunk.committed', { job: jobId })).toBe(1);
  await reap(runtime);
  // whatever attempts left behind: the part that the commit names, and no other one
  expect((await partsOf(runtime, orderId)).filter((name) => name !== record.part.name)).toEqual([]);
  expect(await request.send(runtime)).toEqual(first);
  await expectShare(orderId, 1);
}

/** What is counted in the share of an order that has one: so many bound profiles, and what lies in its lanes. */
async function expectShare(orderId: string, bound: number): Promise<void> {
  const { ledger } = deployment.runtime.context;
  const order = orderRecord.from((await ledger.get(ledgerKeys.order(orderId)))!);
  if (order.shares === undefined) return;
  const { drawn, returned, inLanes } = await shareOf(ledger, orderId, DEVICE_MAKER.identifier);
  expect(drawn - returned).toBe(bound + inLanes);
}

async function callsOf(isShared: boolean): Promise<number> {
  const { orderId, request } = await scenario(isShared);
  const process = await MortalProcess.start(deployment);
  const answer = await process.run(request.send);
  const { calls } = process;
  await expectSettled(orderId, request, answer!);
  expect((await committed(deployment.runtime, request.jobId('test'), 0)).partKey).toBeDefined();
  return calls;
}

describe('a profile that is bound just in time is bound once, whatever happens on the way (I1–I5, I8, I10)', {
  tags: ['I1', 'I2', 'I3', 'I4', 'I5', 'I8', 'I10', 'GENS08', 'A3-LATE-BINDING'],
}, () => {
  it.each(['before', 'after'] as const)(
    'where the process dies %s any one store call and another goes on',
    async (when) => {
      const calls = await callsOf(true);
      expect(calls).toBeGreaterThan(12);
      for (let call = 1; call <= calls; call += STRIDE)
        for (const isShared of sharesAt(call)) {
          const { orderId, request } = await scenario(isShared);
          await (await MortalProcess.start(deployment, { call, when })).run(request.send);
          count('crashes', 1);
          const answer = await (await MortalProcess.start(deployment)).run(request.send);
          await expectSettled(orderId, request, answer!);
        }
    },
  );

  it.each(['before', 'after'] as const)(
    'where the process dies %s any one store call and only the reaper comes by',
    async (when) => {
      const calls = await callsOf(true);
      for (let call = 1; call <= calls; call += STRIDE)
        for (const isShared of sharesAt(call)) {
          const { orderId, request } = await scenario(isShared);
          await (await MortalProcess.start(deployment, { call, when })).run(request.send);
          count('crashes', 1);
          await reap(deployment.runtime);
          const { supply, returned, bound } = await positionsOf(deployment.runtime, orderId);
          expect([...supply, ...returned, ...bound].sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
          expect((await partsOf(deployment.runtime, orderId)).length).toBe(bound.length);
          expect((await ppksLeft(deployment.runtime, orderId)).length).toBe(QUANTITY - bound.length);
          await expectShare(orderId, bound.length);
          await expectSettled(orderId, request, await request.send(deployment.runtime));
        }
    },
  );

  it('by two attempts at once', async () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { orderId, request } = await scenario(seed % 2 === 1);
      const processes = [
        await MortalProcess.start(deployment, { restMs: rests(seed) }),
        await MortalProcess.start(deployment, { restMs: rests(seed + 1) }),
      ];
      const [one, other] = await Promise.all(processes.map((process) => process.run(request.send)));
      expect(one).toEqual(other);
      await expectSettled(orderId, request, one!);
    }
  });

  it.each([
    { of: 'an order', more: {} },
    { of: 'a share of it', more: shares(50) },
  ])('of fifty callers on twenty keys, of which each key goes to one, out of $of', async ({ more }) => {
    const orderId = `JIT-${made++}`;
    await prepare(deployment, orderId, 60, more);
    const euiccs = await registered(deployment, 20);
    const requests = Array.from(
      { length: 50 },
      (_, i) => new Request(orderId, [{ eid: euiccs[i % 20]!.eid }]),
    );
    const answers = await Promise.all(requests.map((request) => request.send(deployment.runtime)));
    const triples = answers.flatMap(triplesOf).map((triple) => triple.split(' '));
    expect(triples.length).toBe(20);
    for (const member of [0, 1, 2]) expect(new Set(triples.map((one) => one[member])).size).toBe(20);
    expect(answers.flatMap(outcomesOf).filter((outcome) => outcome === 'noNewBinding').length).toBe(30);
    for (const [i, request] of requests.entries())
      expect(await request.send(deployment.runtime)).toEqual(answers[i]);
    expect((await positionsOf(deployment.runtime, orderId)).bound.length).toBe(20);
    await expectShare(orderId, 20);
  });

  it('down to the last profile of a share and no further, by many at once in several processes', async () => {
    const orderId = `JIT-${made++}`;
    await prepare(deployment, orderId, 30, shares(10));
    const euiccs = await registered(deployment, 15);
    const requests = euiccs.map(({ eid }) => new Request(orderId, [{ eid }]));
    const processes = await Promise.all([0, 1, 2].map(() => MortalProcess.start(deployment)));
    const answers = await Promise.all(
      requests.map(async (request, i) => (await processes[i % processes.length]!.run(request.send))!),
    );
    const outcomes = answers.flatMap(outcomesOf);
    expect(outcomes.filter((outcome) => outcome === 'bound').length).toBe(10);
    expect(outcomes.filter((outcome) => outcome === 'profileTypeExhausted').length).toBe(5);
    expect(new Set(answers.flatMap(triplesOf).map((triple) => triple.split(' ')[1])).size).toBe(10);
    for (const [i, request] of requests.entries())
      expect(await request.send(deployment.runtime)).toEqual(answers[i]);
    await reap(deployment.runtime);
    await expectShare(orderId, 10);
  });

  it('down to the last profile of an order, by many at once', async () => {
    const orderId = `JIT-${made++}`;
    await prepare(deployment, orderId, 10);
    const euiccs = await registered(deployment, 14);
    const answers = await Promise.all(
      euiccs.map(({ eid }) => new Request(orderId, [{ eid }]).send(deployment.runtime)),
    );
    const outcomes = answers.flatMap(outcomesOf);
    expect(outcomes.filter((outcome) => outcome === 'bound').length).toBe(10);
    expect(outcomes.filter((outcome) => outcome === 'profileTypeExhausted').length).toBe(4);
    expect(new Set(answers.flatMap(triplesOf).map((triple) => triple.split(' ')[1])).size).toBe(10);
  });
});
