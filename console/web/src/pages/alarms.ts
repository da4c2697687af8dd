import type { Answer } from '../api/client.ts';
import { hrefOf } from '../router.ts';

type Overview = Answer<'ops.getOverview'>;

export interface Alarm {
  readonly text: string;
  readonly todo?: string;
  readonly href: string;
  /** Something does not work now; else it is about to. */
  readonly isError: boolean;
}

/** Days before its end from which on something is an alarm. */
const SOON = 14;

/** Where somebody looks at what a check of health asks. */
const PLACES: Readonly<Record<string, string>> = { callbacks: 'callbacks', CRLs: 'trust', keys: 'trust' };

/** What is ill, ended or ends soon, was given up or is slow: those that stop something first. */
export function alarmsOf({ health, expiring, callbacks, slowKeys }: Overview): readonly Alarm[] {
  const alarms: Alarm[] = [
    ...health.checks
      .filter(({ state }) => state !== 'ok')
      .map(({ name, problem = 'does not work' }) => ({
        text: `${name}: ${problem}`,
        href: hrefOf([PLACES[name] ?? 'overview']),
        isError: true,
      })),
    ...expiring
      .filter(({ daysLeft }) => daysLeft < SOON)
      .map(({ name, daysLeft, todo }) => ({
        text: daysLeft < 0 ? `${name} has ended` : `${name} ends in ${daysLeft} days`,
        todo,
        href: hrefOf(['trust']),
        isError: daysLeft < 0,
      })),
    ...(callbacks.parked === 0
      ? []
      : [
          {
            text: `${callbacks.parked}${callbacks.more ? '+' : ''} callbacks were given up`,
            todo: 'see why, and post them again',
            href: hrefOf(['callbacks']),
            isError: false,
          },
        ]),
    ...slowKeys.map(({ key, reason }) => ({
      text: `${key} is slow (${reason})`,
      href: hrefOf(['overview']),
      isError: false,
    })),
  ];
  return alarms.sort((a, b) => Number(b.isError) - Number(a.isError));
}

/** Which states a profile has once it is bound to a device. */
const BOUND = ['Bound', 'Delivered', 'Installed', 'Failed', 'Unreported', 'Deleted'] as const;

/** How many profiles left the stock for a device, of the changes of a day: whatever became of them on the same day. */
export const boundOf = (changes: Overview['today']): number =>
  BOUND.reduce((sum, state) => sum + (changes[state] ?? 0), 0);
