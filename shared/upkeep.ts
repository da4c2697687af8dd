import type { TroubleEvent } from './events/log-events.ts';

/**
 * What runs by the clock, in one table: the embedded server's rounds (cli/deployment/upkeep.ts) and the schedules on
 * AWS (lib/schedules.ts) are made of it. Any of it may be missed or doubled: what is to be done is found in the ledger.
 * A row that one of the two does not have says why.
 */
export interface UpkeepRow {
  readonly what: string;
  readonly embedded: EmbeddedRounds | ByConfiguration | Omitted;
  readonly aws: ScheduledLambda | (ByConfiguration & { readonly lambda: string }) | Omitted;
}

/** The next round begins so many milliseconds after the end of the one before; the first one at the start. */
export interface EmbeddedRounds {
  readonly pauseMs: number;
  /** The line of the log for a round that fails. */
  readonly trouble: TroubleEvent;
}

/** A background Lambda (lib/functions.ts), started every so many minutes. */
export interface ScheduledLambda {
  readonly lambda: string;
  readonly everyMinutes: number;
}

/** Every so many minutes as the configuration says; where that is 0, or the embedded server has none, not at all. */
export interface ByConfiguration {
  readonly minutesOf: 'crlFetchMinutes';
  readonly trouble?: TroubleEvent;
}

export interface Omitted {
  readonly why: string;
}

export const UPKEEP = {
  'audit.chain': {
    what: 'moves waiting lines into the audit chain',
    embedded: { pauseMs: 500, trouble: 'audit.delayed' },
    aws: { lambda: 'audit.chain', everyMinutes: 5 },
  },
  'audit.archive': {
    what: 'moves what is chained into locked objects',
    embedded: { pauseMs: 10 * 60_000, trouble: 'audit.delayed' },
    aws: { why: 'the Lambda audit.chain archives right after it has chained' },
  },
  'keys.check': {
    what: 'asks for every key in use, and tells of certificates that end, those of parties and callbacks too',
    embedded: { pauseMs: 6 * 60 * 60_000, trouble: 'alarm.key.unchecked' },
    aws: { lambda: 'keys.check', everyMinutes: 60 },
  },
  'keys.rewrap': {
    what: 'moves data keys to the wrapping key in use after a rotation',
    embedded: { pauseMs: 60_000, trouble: 'key.wrapping.delayed' },
    aws: { lambda: 'keys.rewrap', everyMinutes: 5 },
  },
  'trust.fetchCrls': {
    what: 'fetches the revocation lists that certificates in use point to',
    embedded: { minutesOf: 'crlFetchMinutes', trouble: 'alarm.crl.fetchFailed' },
    aws: { lambda: 'trust.fetchCrls', minutesOf: 'crlFetchMinutes' },
  },
  'verify.scrub': {
    what: 'verifies a share of the stores against each other',
    embedded: { pauseMs: 60 * 60_000, trouble: 'verify.delayed' },
    aws: { lambda: 'verify.scrub', everyMinutes: 60 },
  },
  'audit.anchor': {
    what: 'keeps the signed end of the audit log outside, where the configuration names a place (`auditAnchor`)',
    embedded: { pauseMs: 60 * 60_000, trouble: 'alarm.audit.unanchored' },
    aws: {
      why: 'the Lambda audit.chain keeps it once an hour, after it has archived',
    },
  },
  'clock.compare': {
    what: 'compares this machine’s clock with the `timeSource` of the configuration, where it names one',
    embedded: { pauseMs: 6 * 60 * 60_000, trouble: 'alarm.clock.unchecked' },
    aws: {
      why: 'the Lambda audit.chain compares the clock of each of its environments, at first and every six hours',
    },
  },
  'jobs.resume': {
    what: 'takes up work that was accepted and not completed',
    embedded: { why: 'only a start leaves work behind: the queue of a running server repeats what failed' },
    aws: { lambda: 'jobs.resume', everyMinutes: 5 },
  },
  'state.observe': {
    what: 'looks at stores, revocation lists, callbacks, open work and what ends, and tells the figures of docs/metrics.md',
    embedded: { why: 'whoever asks for `/metrics` or `/health/ready` has it looked at' },
    aws: { why: 'the Lambda jobs.resume tells it at the end of its round' },
  },
  'notify.sweep': {
    what: 'queues the notices that wait in the ledger',
    embedded: { why: 'the notifier of the embedded server reads the outbox itself, every five seconds' },
    aws: { lambda: 'notify.sweep', everyMinutes: 5 },
  },
  'life.reap': {
    what: 'destroys what lost attempts wrote, uploads and requests whose life is over, and forgets old failures and counts of calls',
    embedded: { pauseMs: 60_000, trouble: 'life.delayed' },
    aws: { lambda: 'life.reap', everyMinutes: 5 },
  },
  'upgrade.say': {
    what: 'says which release is at work, and takes up a stored form that was activated',
    embedded: { pauseMs: 30_000, trouble: 'alarm.form.unread' },
    aws: { why: 'a Lambda does both before it writes' },
  },
  'keys.uses': {
    what: 'sums up the uses of each key in the audit log',
    embedded: { why: 'every process that has keys open writes down its own (shared/runtime.ts)' },
    aws: { why: 'every process that has keys open writes down its own (shared/runtime.ts)' },
  },
} as const satisfies Readonly<Record<string, UpkeepRow>>;

export type UpkeepName = keyof typeof UPKEEP;

/** Names of the rows that the embedded server runs in rounds. */
export type EmbeddedUpkeepName = {
  [Name in UpkeepName]: (typeof UPKEEP)[Name]['embedded'] extends Omitted ? never : Name;
}[UpkeepName];
