import { describe, expect, it } from 'vitest';
import { CLOCK_MS } from '../../../shared/service/evidence/clock-watch.ts';
import { ANCHOR_MS, EvidenceRounds } from '../../../shared/service/evidence/rounds.ts';

const HEAD = { sequence: 7, hash: 'a'.repeat(64) };

function rounds({ anchor, clock }: { anchor?: string; clock?: string }, fails = false) {
  const done: string[] = [];
  const told: { event: string }[] = [];
  let now = 1_000_000;
  const act = async (what: string) => {
    if (fails) throw new Error('away');
    done.push(what);
  };
  const evidence = {
    anchor: { uri: anchor, keep: () => act('kept').then(() => true) },
    clock: { source: clock, compare: () => act('compared').then(() => undefined) },
  };
  const all = new EvidenceRounds(
    evidence,
    (line) => told.push(line),
    () => now,
  );
  return {
    done,
    told,
    round: () => all.round(HEAD),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const BOTH = { anchor: 's3://outside', clock: 'sntp:clock.example' };

describe('what makes the log evidence, where Lambda runs it', () => {
  it('is done at the first run, then once an hour, and every six hours', async () => {
    const { done, round, pass } = rounds(BOTH);
    await round();
    pass(ANCHOR_MS - 1);
    await round();
    expect(done).toEqual(['kept', 'compared']);
    pass(1);
    await round();
    expect(done).toEqual(['kept', 'compared', 'kept']);
    pass(CLOCK_MS);
    await round();
    expect(done.slice(3)).toEqual(['kept', 'compared']);
  });

  it('is left out where nothing is configured', async () => {
    const { done, told, round } = rounds({});
    await round();
    expect([done, told]).toEqual([[], []]);
  });

  it('holds up nothing where it fails, is told, and is tried again with the next run', async () => {
    const { told, round } = rounds(BOTH, true);
    await round();
    await round();
    const alarms = ['alarm.audit.unanchored', 'alarm.clock.unchecked'];
    expect(told.map(({ event }) => event)).toEqual([...alarms, ...alarms]);
  });
});
