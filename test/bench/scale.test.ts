import { expect, it } from 'vitest';
import { chunkOctets, simulate } from '../../bench/scale/model.ts';
import { ITEM_LIMIT } from '../../shared/ledger/item.ts';

const input = {
  profiles: 10_000_000,
  chunk: 250,
  pack: 250,
  signsPerSecond: 900,
  tasksAtOnce: 12,
  lambdas: 1_000,
  writeUnits: 4_000,
  callbackBatch: 1,
};
const bind = (change: Partial<typeof input> = {}) => simulate({ ...input, ...change })[2]!;
const wall = (change: Partial<typeof input> = {}) => bind(change).walls[0]!.name;

it('the model of scale names KMS as the first wall of binding; moved away, the partitions of the job are the next', () => {
  expect(wall()).toBe('KMS signatures');
  expect(bind().seconds).toBe(Math.ceil(input.profiles / 900));
  const more = { signsPerSecond: 200_000, tasksAtOnce: 10_000, lambdas: 10_000, writeUnits: 1_000_000 };
  expect(wall(more)).toBe('partitions of the job: chunks');
  expect(wall({ tasksAtOnce: 2 })).toBe('tasks at once');
});

it('in the model of scale a job is done sooner with more of what is short, and no sooner with more of anything else', () => {
  expect(bind({ signsPerSecond: 1_200, tasksAtOnce: 24 }).seconds).toBeLessThan(bind().seconds);
  expect(bind({ lambdas: 5_000, writeUnits: 40_000 }).seconds).toBe(bind().seconds);
  // an on-demand table grows under load
  const register = (writeUnits: number) =>
    simulate({ ...input, writeUnits, tasksAtOnce: 1_000, profiles: 50_000_000 })[1]!;
  expect(register(1_000).seconds).toBeLessThan(50_000_000 / (1_000 / 3.02));
});

it('a chunk of the default size is an item that the ledger takes, with room to spare', () => {
  expect(chunkOctets(250)).toBeLessThan(ITEM_LIMIT / 2);
});

const wallOf = (callbackBatch: number, wall: string) => {
  const [report] = simulate({ ...input, callbackBatch }).filter(({ phase }) => phase === 'report');
  return report?.walls.find(({ name }) => name === wall)?.profilesPerSecond;
};

it('in the model of scale audit lines are spread where they wait and where they are chained', () => {
  // two units where a line waits, two where it is taken away, two in the chain: test/service/reports/cost.test.ts
  expect(wallOf(1, 'partitions of waiting audit lines')).toBe(16_000 / 4);
  expect(wallOf(1, 'partitions of the audit chain')).toBe(16_000 / 2);
  expect(wallOf(1, 'chaining of audit lines')).toBe(980);
});

it('in the model of scale callbacks are spread over the partitions of notices, sixteen times what one takes', () => {
  // units each: test/service/callbacks/cost.test.ts
  expect(wallOf(1, 'partitions of notices')).toBeCloseTo((16 * 1_000) / 7.1);
  expect(wallOf(100, 'partitions of notices')).toBeCloseTo((16 * 1_000) / 4.1);
  expect(wallOf(1, 'calls to receivers at once')).toBe(1_000);
  expect(wallOf(100, 'calls to receivers at once')).toBe(100_000);
});
