import { expect, it } from 'vitest';
import { sourceTree } from './source-tree.ts';

const files = sourceTree('shared/service', 'shared/notify', 'cli', 'lambdas');
const filesWith = (pattern: RegExp) =>
  files.flatMap(({ path, text }) => (pattern.test(text) ? path : [])).toSorted();

it('a partition is read page by page in one place, shared/ledger/scan.ts', () => {
  expect(filesWith(/\bpage\.cursor\b/)).toEqual([
    // pages of getOrderStatus, not of the ledger
    'cli/demo/summary.ts',
  ]);
});

it('a loop without end is none that writes until nobody was faster, which is shared/ledger/change.ts', () => {
  expect(filesWith(/for \(;;\)|while \(true\)/)).toEqual([
    // asks a server until its answer is complete, up to a deadline
    'cli/delivery/pull.ts',
    // goes on while there are lines to chain; whoever was faster left fewer
    'shared/service/audit/chaining.ts',
    // waits for the refill that another call has begun
    'shared/service/parties/call-rate.ts',
    // goes on while there are many short lists; whoever was faster left fewer
    'shared/service/supply/returned.ts',
  ]);
});

it('the condition that an item is still as it was read is written in one way', () => {
  expect(filesWith(/\? 'absent' : \{ revision: \w+\.revision \}/)).toEqual([]);
});
