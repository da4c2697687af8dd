import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProfileState } from '../../../shared/service/api/es2f.ts';
import { nextState, type ProfileEvent } from '../../../shared/service/reports/profile-state.ts';
import { STATUS_CODES, type StatusName } from '../../../shared/status-codes.ts';
import { onlyRefuses } from '../../support/refusal.ts';

const EVENTS: readonly ProfileEvent[] = ['installed', 'failed', 'unreported', 'deleted', 'closed'];
const STATES: readonly ProfileState[] = [
  'Available',
  'Bound',
  'Delivered',
  'Installed',
  'Failed',
  'Unreported',
  'Deleted',
  'Closed',
];

/** The whole table: the state after each event, or the code of its refusal. */
const TABLE: Readonly<Record<ProfileState, readonly (ProfileState | StatusName)[]>> = {
  //          installed               failed                  unreported             deleted                closed
  Available: [
    'profileStateForbids',
    'resultContradicts',
    'profileStateForbids',
    'profileStateForbids',
    'Closed',
  ],
  Bound: ['Installed', 'Failed', 'Unreported', 'Deleted', 'profileStateForbids'],
  Delivered: ['Installed', 'Failed', 'Unreported', 'Deleted', 'profileStateForbids'],
  Installed: ['Installed', 'resultContradicts', 'Installed', 'Deleted', 'profileStateForbids'],
  Failed: ['Installed', 'Failed', 'Failed', 'Deleted', 'profileStateForbids'],
  Unreported: ['Installed', 'Failed', 'Unreported', 'Deleted', 'profileStateForbids'],
  Deleted: ['Deleted', 'Deleted', 'Deleted', 'Deleted', 'profileStateForbids'],
  Closed: ['Installed', 'Failed', 'Closed', 'Deleted', 'Closed'],
};

function after(state: ProfileState, event: ProfileEvent): ProfileState | StatusName {
  try {
    return nextState(state, event);
  } catch (error) {
    return (error as { code: StatusName }).code;
  }
}

describe('the life of a profile', { tags: ['I2'] }, () => {
  for (const state of STATES) {
    it.each(EVENTS.map((event, i) => [event, TABLE[state][i]!] as const))(
      `${state}, %s: %s`,
      (event, expected) => {
        expect(after(state, event)).toBe(expected);
        expect(STATES.includes(expected as ProfileState) || expected in STATUS_CODES).toBe(true);
      },
    );
  }

  const events = fc.array(fc.constantFrom(...EVENTS), { maxLength: 12 });
  /** What is refused changes nothing. */
  const live = (from: ProfileState, sequence: readonly ProfileEvent[]) =>
    sequence.reduce<ProfileState>((state, event) => {
      let next = state;
      onlyRefuses(() => {
        next = nextState(state, event);
      });
      return next;
    }, from);

  it('a signed success wins whenever it comes, unless the profile was deleted', () => {
    fc.assert(
      fc.property(events, (sequence) => {
        const state = live('Bound', [...sequence, 'installed']);
        expect(state).toBe(sequence.includes('deleted') ? 'Deleted' : 'Installed');
      }),
    );
  });

  it('the word of an FPA changes no signed result, and is worth nothing beside one', () => {
    fc.assert(
      fc.property(events, (sequence) => {
        const signed = sequence.filter((event) => event !== 'unreported');
        const state = live('Delivered', sequence);
        const without = live('Delivered', signed);
        expect(state).toBe(
          without === 'Delivered' && sequence.includes('unreported') ? 'Unreported' : without,
        );
      }),
    );
  });

  it('a bound profile never becomes available again (I2)', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STATES.slice(1)), events, (state, sequence) => {
        expect(['Available', 'Bound']).not.toContain(live(state, [...sequence, 'unreported']));
      }),
    );
  });
});
