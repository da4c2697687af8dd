import { randomBytes } from 'node:crypto';
import { type Bytes, toHex } from '../shared/codec/bytes.ts';
import { present } from '../shared/present.ts';
import {
  type Bound,
  type BppBatch,
  type CardReader,
  type Chain,
  encodeProfileLoadingReport,
  type ReportItem,
} from '../sim/index.ts';
import type { Journal } from './journal.ts';
import { type ApduLog, loadProfile } from './load-profile.ts';
import type { Outcome } from './outcome.ts';

/** The devices that lie in the readers of a station, by EID as the eUICC itself tells it. */
export type Devices = ReadonlyMap<string, CardReader>;

/** A package of the batch, with its chain. */
export interface Package {
  readonly eid: string;
  readonly bound: Bound;
  readonly chain: Chain;
}

/** What a station makes of its batches and the devices that it was given. */
export interface Plan {
  /** For devices that are here, and whose eUICC has signed no result yet. */
  readonly toDo: readonly Package[];
  /** Signed by an eUICC in an earlier run. */
  readonly done: number;
  /** Devices that are here, and for which the batches have nothing. */
  readonly strangers: readonly string[];
  /** Packages for devices that are not here: some other station has them. */
  readonly elsewhere: number;
}

export interface StationOptions {
  readonly journal: Pick<Journal, 'outcomes' | 'write'>;
  readonly now: () => Date;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock: () => number;
  /** Times that an eUICC which falls silent is reset and tried again at once. */
  readonly retries: number;
  readonly apduLog?: ApduLog;
}

export function packagesOf(batches: readonly BppBatch[]): Package[] {
  return batches.flatMap(({ chains, items }) =>
    items.flatMap(({ eid, bound }) =>
      bound === undefined ? [] : [{ eid, bound, chain: chains[bound.chain]! }],
    ),
  );
}

export function planOf(
  packages: readonly Package[],
  devices: ReadonlyMap<string, unknown>,
  outcomes: ReadonlyMap<string, Outcome>,
): Plan {
  const mine = packages.filter(({ eid }) => devices.has(eid));
  const known = new Set(packages.map(({ eid }) => eid));
  const toDo = mine.filter(({ bound }) => outcomes.get(toHex(bound.transactionId))?.result === undefined);
  return {
    toDo,
    done: mine.length - toDo.length,
    strangers: [...devices.keys()].filter((eid) => !known.has(eid)),
    elsewhere: packages.length - mine.length,
  };
}

/**
 * Loads the packages of the devices that are here. What did not answer is tried once more when all others are through: its
 * contacts may be better by then.
 */
export async function runStation(
  toDo: readonly Package[],
  devices: Devices,
  options: StationOptions,
  progress: (outcome: Outcome) => void = () => {},
): Promise<void> {
  const silent: Package[] = [];
  for (const one of toDo) {
    const outcome = await attempt(one, devices, options);
    if (outcome.fpaError?.cause === 'unreachable') silent.push(one);
    else progress(outcome);
  }
  for (const one of silent) progress(await attempt(one, devices, options));
}

async function attempt(
  { eid, bound, chain }: Package,
  devices: Devices,
  { journal, now, clock, retries, apduLog }: StationOptions,
): Promise<Outcome> {
  const from = clock();
  const end = await loadProfile(devices.get(eid)!, eid, bound, chain, {
    retries,
    ...present({ log: apduLog }),
  });
  const outcome: Outcome = {
    transactionId: bound.transactionId,
    eid,
    at: now(),
    ...end,
    ms: Math.round(clock() - from),
  };
  journal.write(outcome);
  return outcome;
}

/**
 * ProfileLoadingReport (FF63) in DER of what this station did, in the order of the batches: of the devices that were here in
 * this run or an earlier one, and of no other. One that is here and was not come to is notAttempted.
 */
export function stationReport(
  packages: readonly Package[],
  devices: ReadonlyMap<string, unknown>,
  outcomes: ReadonlyMap<string, Outcome>,
  reportId: Bytes = randomBytes(16),
): Bytes {
  const items = packages.flatMap(({ eid, bound: { transactionId } }): ReportItem[] => {
    const outcome = outcomes.get(toHex(transactionId));
    if (outcome !== undefined) return [reportItem(outcome)];
    return devices.has(eid) ? [{ fpaError: { transactionId, eid, cause: 'notAttempted' } }] : [];
  });
  return encodeProfileLoadingReport({ reportId, items });
}

function reportItem({ transactionId, eid, at, result, fpaError }: Outcome): ReportItem {
  if (result !== undefined) return { euiccResult: result, at };
  return { fpaError: { transactionId, eid, cause: 'other', ...fpaError, at } };
}
