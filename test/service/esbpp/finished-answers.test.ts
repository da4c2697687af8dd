import { describe, expect, it } from 'vitest';
import type { BppAnswer } from '../../../shared/service/api/esbpp.ts';
import { FinishedAnswers } from '../../../shared/service/esbpp/finished-answers.ts';

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

describe('a finished job is counted once, not for each who asks (I13)', () => {
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
