import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CallCost, counting } from '../../../shared/call-cost.ts';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import { FinishedAnswers } from '../../../shared/service/esbpp/finished-answers.ts';
import { answerRecord } from '../../../shared/service/records/job.ts';
import { ledgerKeys } from '../../../shared/service/records/keys.ts';
import type { PersonalisedEuicc } from '../../../sim/index.ts';
import { Deployment } from '../../support/deployment.ts';
import { prepare, Request, registered } from '../scenario.ts';

const MIB = 1024 * 1024;
const done = (octets = 0): BppAnswer => ({
  requestId: '0a',
  state: 'Done',
  items: 2,
  processed: 2,
  failed: [],
  manifest: Buffer.alloc(octets),
});
const pending: BppAnswer = { requestId: '0a', state: 'Pending', items: 2, processed: 1, failed: [] };

function counted(answer: () => BppAnswer = done) {
  const state = { counts: 0 };
  const count = async () => {
    state.counts += 1;
    return answer();
  };
  return { state, count };
}

describe('a finished job is counted once, not for each who asks (I13)', { tags: ['I13', 'I6'] }, () => {
  it('gives the same answer again, and counts once for all who ask at once', async () => {
    const answers = new FinishedAnswers(() => 0);
    const { state, count } = counted();
    const given = await Promise.all(Array.from({ length: 40 }, () => answers.answer('J', '1', count)));
    given.push(await answers.answer('J', '1', count));
    expect(state.counts).toBe(1);
    expect(new Set(given).size).toBe(1);
  });

  it('counts again once trust has moved or a delivery key was retired (I6)', async () => {
    const answers = new FinishedAnswers(() => 0);
    const { state, count } = counted();
    for (const standing of ['[1]', '[2]', '[2]', '[2,"key"]', '[2,"key"]'])
      await answers.answer('J', standing, count);
    expect(state.counts).toBe(3);
  });

  it('counts again after a minute, and where the clock was set back', async () => {
    let now = 1_000_000;
    const answers = new FinishedAnswers(() => now);
    const { state, count } = counted();
    await answers.answer('J', '1', count);
    now += 59_999;
    await answers.answer('J', '1', count);
    expect(state.counts).toBe(1);
    now += 1;
    await answers.answer('J', '1', count);
    expect(state.counts).toBe(2);
    now -= 500_000;
    await answers.answer('J', '1', count);
    expect(state.counts).toBe(3);
  });

  it('keeps no answer that is Pending, and none of a count that failed', async () => {
    const answers = new FinishedAnswers(() => 0);
    const { state, count } = counted(() => pending);
    for (let i = 0; i < 2; i++) await answers.answer('J', '1', count);
    expect(state.counts).toBe(2);
    await expect(answers.answer('K', '1', () => Promise.reject(new Error('out of reach')))).rejects.toThrow();
    expect(await answers.answer('K', '1', async () => done())).toMatchObject({ state: 'Done' });
  });

  it('keeps so many octets, the newest', async () => {
    const answers = new FinishedAnswers(() => 0);
    const { state, count } = counted(() => done(10 * MIB));
    for (const job of ['A', 'B', 'C', 'D']) await answers.answer(job, '1', count);
    await answers.answer('D', '1', count);
    expect(state.counts).toBe(4);
    await answers.answer('A', '1', count);
    expect(state.counts).toBe(5);
  });
});

describe('a finished job is answered from its record, not from its commits (I13)', () => {
  const ITEMS = 30;
  let deployment: Deployment;
  let request: Request;
  let first: BppAnswer;
  let revoked: PersonalisedEuicc | undefined;

  beforeAll(async () => {
    deployment = await Deployment.create({ config: { inlineLimit: 1_000, chunkSize: 1, packSize: 50 } });
    await prepare(deployment, 'RECORD', ITEMS);
    const euiccs = await registered(deployment, ITEMS);
    const unknown = deployment.eum.personalise();
    request = new Request(
      'RECORD',
      [...euiccs, unknown].map(({ eid }) => ({ eid })),
    );
    [revoked] = euiccs;
    await request.send(deployment.runtime);
    await vi.waitFor(
      async () => {
        first = await request.fetch(deployment.runtime);
        expect(first.state).toBe('Done');
      },
      { timeout: 60_000 },
    );
  });
  afterAll(() => deployment?.close());

  /** What another process answers, and by how many reads. */
  async function afresh() {
    await deployment.reopen();
    const cost = new CallCost();
    const answer = await counting(cost, () => request.fetch(deployment.runtime));
    return { answer, reads: cost.reads };
  }
  const record = () => deployment.runtime.context.ledger.get(ledgerKeys.jobAnswer(request.jobId('test')));

  it('alike, by a few reads, by a process that has never counted it', async () => {
    const { answer, reads } = await afresh();
    expect(answer).toEqual(first);
    expect(first.failed).toMatchObject([{ code: 'eidUnknown' }]);
    expect(reads).toBeLessThan(ITEMS);
  });

  it('is counted again once trust has moved, and written down anew (I6)', async () => {
    const before = (await record())!;
    await deployment.runtime.trustAdministration.addCrl(deployment.ci.issueCrl({ number: 2 }), [], 'test');
    const counted = await afresh();
    expect(counted.answer).toEqual(first);
    expect(counted.reads).toBeGreaterThan(ITEMS * 3);
    expect((await record())!.revision).toBe(before.revision + 1);
    expect((await afresh()).reads).toBeLessThan(ITEMS);
  });

  it('and where its manifest is gone it is counted, and makes another', async () => {
    const { manifest } = answerRecord.from((await record())!);
    await rm(join(deployment.folder, 'vault/objects', `${manifest.name}@`), { recursive: true });
    const { answer } = await afresh();
    expect(answer.parts).toEqual(first.parts);
    expect((await afresh()).reads).toBeLessThan(ITEMS);
  });

  it('is not written down while something is withheld, since what ends that may move nothing', async () => {
    const before = (await record())!;
    await deployment.runtime.trustAdministration.revokeEuicc(revoked!.eid, 'test');
    const { answer } = await afresh();
    expect(answer.failed).toHaveLength(2);
    expect((await record())!.revision).toBe(before.revision);
    expect((await afresh()).answer).toEqual(answer);
  });
});
