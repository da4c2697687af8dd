import { expect, it, vi } from 'vitest';
import type { TestModule } from 'vitest/node';
import { CountsReporter } from './counts-reporter.ts';

const moduleOf = (relativeModuleId: string, ...counts: object[]) =>
  ({
    relativeModuleId,
    children: { allTests: () => counts.map((of) => ({ meta: () => ({ counts: of }) })) },
  }) as unknown as TestModule;

function printed(...modules: TestModule[]): string {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    new CountsReporter('this run').onTestRunEnd(modules);
    return log.mock.calls.join('\n');
  } finally {
    log.mockRestore();
  }
}

it('the table of counts has each kind with its total, and its files with the most first', () => {
  const text = printed(
    moduleOf('test/pki/a.test.ts', { mutations: 5 }, { mutations: 7, kills: 1 }),
    moduleOf('test/pki/b.test.ts', { mutations: 1_000 }),
  );
  expect(
    text
      .trim()
      .split('\n')
      .map((line) => line.trim().replace(/ +/g, ' ')),
  ).toEqual([
    'what this run has made, in tests that passed',
    '1 kills',
    '1 pki/a',
    '1,012 mutations',
    '1,000 pki/b',
    '12 pki/a',
  ]);
});

it('the table of counts is left out where nothing was counted', () => {
  expect(printed(moduleOf('test/pki/a.test.ts', {}))).toBe('');
});
