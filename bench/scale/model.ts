import { itemSize } from '../../shared/ledger/item.ts';
import type { Write } from '../../shared/ledger/ledger.ts';
import { CHAINED_TOGETHER } from '../../shared/service/audit/chaining.ts';
import { auditWrite } from '../../shared/service/audit/line.ts';
import { SHARDS } from '../../shared/service/counts/shards.ts';
import type { BoundItem, ChunkRecord } from '../../shared/service/records/job.ts';
import {
  AUDIT_STRIPES,
  ledgerKeys,
  NOTICE_STRIPES,
  RECORD_STRIPES,
} from '../../shared/service/records/keys.ts';
import type { PackRecord } from '../../shared/service/records/order.ts';
import { COUNTED, COUNTED_PROFILES, OPENING_UNITS } from './counted.ts';

/**
 * An order of many profiles on AWS, second by second: what each phase takes of each shared resource, against the
 * quotas of an account. Sizes are those of real records; units per profile are the counted ones of counted.ts, CPU
 * times the measured ones of docs/cost.md. A model: it says which quota is met first and when the work would be done, not how AWS behaves.
 */
export interface ScaleInput {
  readonly profiles: number;
  readonly chunk: number;
  readonly pack: number;
  /** KMS ECC signatures a second for jobs, the interactive share taken off. */
  readonly signsPerSecond: number;
  readonly tasksAtOnce: number;
  /** Lambdas of the account at once. */
  readonly lambdas: number;
  /** Write units a second that the table takes when the order comes; it doubles every half hour under load. */
  readonly writeUnits: number;
  /** Callbacks in a call, as the order allows. */
  readonly callbackBatch: number;
}

/** `report`: the results of all profiles, and a callback for each. */
export const PHASES = ['prepare', 'register', 'bind', 'report'] as const;
export type Phase = (typeof PHASES)[number];

/** A quota, and what a profile of a phase takes of it. */
interface Resource {
  readonly name: string;
  readonly perProfile: number;
  /** A second, at this second of the phase. */
  readonly limit: (second: number) => number;
}

export interface PhaseResult {
  readonly phase: Phase;
  readonly seconds: number;
  /** Profiles a second that each resource alone would allow at the start of the phase, least first. */
  readonly walls: readonly { readonly name: string; readonly profilesPerSecond: number }[];
}

/** Write units of a write of so many octets within a transaction. */
const units = (octets: number) => 2 * Math.ceil(octets / 1024);
/** DynamoDB takes so many write units a second for one partition key. */
const PARTITION_UNITS = 1_000;
/** An on-demand table takes twice its peak before within this time. */
const DOUBLING_SECONDS = 1_800;

/** What a callback writes, all of it in the partition of its notice: test/service/callbacks/cost.test.ts. */
const CALLBACK_UNITS = 7.1;
/** The same where several go in a call: no signature is stored. */
const BATCHED_UNITS = 4.1;
const callbackUnits = ({ callbackBatch }: ScaleInput) => (callbackBatch > 1 ? BATCHED_UNITS : CALLBACK_UNITS);
/** Calls under way at once: ten Lambdas with ten messages each (lib/notify.ts); and how long a receiver takes. */
const CALLS_AT_ONCE = 100;
const RECEIVER_MS = 100;
/** A transaction that chains audit lines: a hundred writes, and the next one waits for it. Not measured. */
const CHAINING_MS = 50;

/** Milliseconds of one core measured by npm run bench. */
const TAKEN: Readonly<Record<Phase, { readonly ledgerUnits: number; readonly taskMs: number }>> = {
  // of a large order, in which opening it is next to nothing
  prepare: {
    ledgerUnits: COUNTED.prepare.ledgerWriteUnits - OPENING_UNITS / COUNTED_PROFILES,
    taskMs: 10,
  },
  register: { ledgerUnits: COUNTED.register.ledgerWriteUnits, taskMs: 5 },
  // a task waits for KMS, 75 signatures a second
  bind: { ledgerUnits: COUNTED.bind.ledgerWriteUnits, taskMs: 13.3 },
  // the state of the profile and its audit line, beside its callback: test/service/reports/cost.test.ts; a result is verified
  // within a slice of its report
  report: { ledgerUnits: 8.25, taskMs: 2 },
};

const ledgerUnitsOf = (phase: Phase, input: ScaleInput) =>
  TAKEN[phase].ledgerUnits + (phase === 'report' ? callbackUnits(input) : 0);

export function simulate(input: ScaleInput): readonly PhaseResult[] {
  let peak = input.writeUnits;
  return PHASES.map((phase) => {
    const resources = resourcesOf(phase, input, () => peak);
    const walls = resources
      .map(({ name, perProfile, limit }) => ({ name, profilesPerSecond: limit(0) / perProfile }))
      .sort((a, b) => a.profilesPerSecond - b.profilesPerSecond);
    let left = input.profiles;
    let seconds = 0;
    while (left > 0) {
      const rate = Math.min(...resources.map(({ perProfile, limit }) => limit(seconds) / perProfile));
      left -= rate;
      seconds += 1;
      const used = rate * ledgerUnitsOf(phase, input);
      if (seconds % DOUBLING_SECONDS === 0) peak = Math.max(peak, 2 * used);
    }
    return { phase, seconds, walls };
  });
}

function resourcesOf(phase: Phase, input: ScaleInput, tableUnits: () => number): Resource[] {
  const { taskMs } = TAKEN[phase];
  const tasks = Math.min(input.tasksAtOnce, input.lambdas);
  const fixed = (name: string, limit: number, perProfile: number): Resource => ({
    name,
    perProfile,
    limit: () => limit,
  });
  const resources = [
    fixed('tasks at once', tasks * 1_000, taskMs),
    { name: 'write units of the table', perProfile: ledgerUnitsOf(phase, input), limit: tableUnits },
  ];
  if (phase === 'prepare') {
    const perPack = units(packOctets(input.pack));
    resources.push(
      fixed('partitions of the order: packs', PARTITION_UNITS * RECORD_STRIPES, perPack / input.pack),
      fixed('partition of the order: marks', PARTITION_UNITS, units(100) / input.pack),
    );
  }
  if (phase === 'bind') {
    resources.push(
      fixed('KMS signatures', input.signsPerSecond, 1),
      fixed(
        'partitions of the job: chunks',
        PARTITION_UNITS * RECORD_STRIPES,
        units(chunkOctets(input.chunk)) / input.chunk,
      ),
      fixed('partition of the job: progress', PARTITION_UNITS, PROGRESS_UNITS / input.chunk),
      fixed('partitions of the job: counts', PARTITION_UNITS * SHARDS, COUNT_UNITS / input.chunk),
      ...auditWalls(fixed, 1 / input.chunk),
    );
  }
  if (phase === 'report')
    resources.push(
      fixed('calls to receivers at once', CALLS_AT_ONCE * 1_000, RECEIVER_MS / input.callbackBatch),
      fixed('partitions of notices', PARTITION_UNITS * NOTICE_STRIPES, callbackUnits(input)),
      ...auditWalls(fixed, 1),
    );
  return resources;
}

/** What so many audit lines for a profile take: written and removed where they wait, and chained one batch after another. */
function auditWalls(
  fixed: (name: string, limit: number, perProfile: number) => Resource,
  lines: number,
): readonly Resource[] {
  const shards = PARTITION_UNITS * AUDIT_STRIPES;
  return [
    fixed('partitions of waiting audit lines', shards, lines * 2 * units(LINE_OCTETS)),
    fixed('partitions of the audit chain', shards, lines * units(LINE_OCTETS + CHAIN_OCTETS)),
    fixed('chaining of audit lines', CHAINED_TOGETHER * 1_000, lines * CHAINING_MS),
  ];
}

/** An audit line of a result as it waits, and what the chain adds to it: number and two hashes. */
const LINE_OCTETS = octetsOf(
  auditWrite(
    {
      event: 'profile.installed',
      by: '2.999.50',
      about: {
        order: 'ORDER',
        iccid: '8988211000000530082',
        eid: '89049032123451234512345678901235',
        transaction: 'a'.repeat(32),
      },
    },
    `profile-${'a'.repeat(32)}-1`,
    0,
  ),
);
const CHAIN_OCTETS = 160;

function octetsOf(write: Write): number {
  return 'put' in write ? itemSize({ ...write.put, attributes: write.attributes }) : 0;
}

/** Progress of a chunk: in its commit, with its end, and delivered. */
const PROGRESS_UNITS = 3 * units(200);
/** What counts a chunk of a job of many: in its commit, and with its end. */
const COUNT_UNITS = 2 * units(300);

/** The record of a chunk of which every item was bound. */
export function chunkOctets(chunk: number): number {
  const outcomes = Array.from({ length: chunk }, (_, i) => ({
    itemId: i,
    eid: '89049032123451234512345678901235',
    keyId: '0011223344556677',
    position: i,
    iccid: '8988211000000530082',
    chain: 0,
    eumChain: 'a'.repeat(64),
    suite: 'p256',
    otpk: 'a'.repeat(64),
  })) satisfies BoundItem[];
  const record = {
    part: { name: 'p'.repeat(80), version: 'v'.repeat(32), size: 1_000_000, sha256: 'a'.repeat(64) },
    outcomes,
    offsets: Array.from({ length: chunk + 1 }, (_, i) => i),
    trustEpoch: 1,
    committedAt: 1,
  } satisfies ChunkRecord;
  return itemSize({ ...ledgerKeys.chunk('a'.repeat(24), 0), attributes: record });
}

function packOctets(pack: number): number {
  const record = {
    object: { name: 'p'.repeat(80), version: 'v'.repeat(32), size: 1_000_000, sha256: 'a'.repeat(64) },
    offsets: Array.from({ length: pack + 1 }, (_, i) => i),
    iccids: Array.from({ length: pack }, () => '8988211000000530082'),
    ppks: 'p'.repeat(60),
    dataKey: 'd'.repeat(64),
  } satisfies Partial<Record<keyof PackRecord, unknown>>;
  return itemSize({ ...ledgerKeys.orderPack('ORDER', 0), attributes: record });
}
