import { describe, expect, it } from 'vitest';
import { BACKGROUND_FUNCTIONS } from '../lib/functions.ts';
import { UPKEEP } from '../shared/upkeep.ts';
import { sourceTree } from './architecture/source-tree.ts';

describe('what runs by the clock', () => {
  it('runs embedded and on AWS, or its row says why not', () => {
    for (const [name, { what, embedded, aws }] of Object.entries(UPKEEP)) {
      expect(what, name).not.toBe('');
      for (const place of [embedded, aws]) {
        if ('why' in place) expect(place.why.length, name).toBeGreaterThan(20);
        else expect(place, name).toSatisfy(periodic);
      }
    }
  });

  const periodic = (place: object) =>
    Object.entries(place).some(
      ([member, value]) =>
        (['pauseMs', 'everyMinutes'].includes(member) && Number(value) > 0) || member === 'minutesOf',
    );

  it('on AWS is every background Lambda that no event starts', () => {
    const byEvent = ['jobs.runTask', 'jobs.finish', 'notify.deliver'];
    const scheduled = Object.values(UPKEEP).flatMap(({ aws }) => ('lambda' in aws ? aws.lambda : []));
    expect(new Set([...scheduled, ...byEvent])).toEqual(new Set(Object.keys(BACKGROUND_FUNCTIONS)));
    expect(scheduled).toHaveLength(Object.keys(BACKGROUND_FUNCTIONS).length - byEvent.length);
  });

  it('is started nowhere but from the table of upkeep', () => {
    const starters = sourceTree('shared', 'cli', 'lambdas', 'lib')
      .filter(({ text }) => /\bsetInterval\(|(?<!function )\bstartRounds\(|\bnew Rule\(/.test(text))
      .map(({ path }) => path);
    expect(starters.toSorted()).toEqual([
      // the simulated Operator shows the callbacks that came
      'cli/commands/sim/operator.ts',
      'cli/deployment/upkeep.ts',
      // a rule of events, not of the clock
      'lib/guard.ts',
      'lib/schedules.ts',
      // each thread's own garbage: nothing of the deployment
      'shared/garbage.ts',
      // does nothing: a thread that waits for another one to open its keys stays
      'shared/keys/one-at-a-time.ts',
      // uses of keys, in every process that has keys open
      'shared/runtime.ts',
    ]);
  });
});
