import { type Bytes, equal, toHex } from '../shared/codec/bytes.ts';
import { decodeProfileInstallationResult } from '../shared/rsp/profile-installation-result.ts';
import { decodeProfileLoadingReport, encodeProfileLoadingReport, type ReportItem } from '../sim/index.ts';
import type { Package } from './station.ts';

/** A report and the file that it is in. */
export interface NamedReport {
  readonly name: string;
  readonly report: Bytes;
}

export interface Conflict {
  readonly transactionId: string;
  readonly eid?: string;
  /** The reports that do not agree. */
  readonly reports: readonly string[];
  readonly what:
    | 'two stations say that they had the device'
    | 'two results, both of the eUICC'
    | 'a package that is in no batch'
    | 'the package is for another EID';
  /** Which one stands in the merged report. */
  readonly kept?: string;
}

export interface Merged {
  readonly report: Bytes;
  /** Signed results, what the FPA says, and packages that no station had. */
  readonly signed: number;
  readonly unsigned: number;
  readonly missing: readonly { readonly eid: string; readonly transactionId: string }[];
  readonly conflicts: readonly Conflict[];
}

interface Said {
  readonly name: string;
  readonly item: ReportItem;
  readonly eid?: string;
}

/**
 * One report of those of several stations, in the order of the batches. A result that an eUICC signed counts before what an FPA
 * says, and of two of the latter the later one. What no report tells of is left out, and named: a station that is still at
 * work may have it.
 */
export function mergeReports(
  reports: readonly NamedReport[],
  packages: readonly Package[],
  reportId: Bytes,
): Merged {
  const conflicts: Conflict[] = [];
  const said = new Map<string, Said[]>();
  const deletions: ReportItem[] = [];
  for (const { name, report } of reports) {
    for (const item of decodeProfileLoadingReport(report).items) {
      if ('otherSigned' in item) {
        if (!deletions.some((one) => 'otherSigned' in one && equal(one.otherSigned, item.otherSigned)))
          deletions.push(item);
        continue;
      }
      const { transactionId, eid } = aboutOf(item);
      said.set(transactionId, [
        ...(said.get(transactionId) ?? []),
        { name, item, ...(eid !== undefined && { eid }) },
      ]);
    }
  }
  const items: ReportItem[] = [];
  const missing: { eid: string; transactionId: string }[] = [];
  for (const { eid, bound } of packages) {
    const transactionId = toHex(bound.transactionId);
    const all = said.get(transactionId) ?? [];
    said.delete(transactionId);
    const right = all.filter((one) => one.eid === undefined || one.eid === eid);
    const wrong = all.filter((one) => !right.includes(one));
    if (wrong.length > 0)
      conflicts.push({ transactionId, eid, reports: namesOf(wrong), what: 'the package is for another EID' });
    const { kept, conflict } = choose(right);
    if (conflict !== undefined) conflicts.push({ transactionId, eid, ...conflict });
    if (kept === undefined) missing.push({ eid, transactionId });
    else items.push(kept.item);
  }
  for (const [transactionId, all] of said)
    conflicts.push({ transactionId, reports: namesOf(all), what: 'a package that is in no batch' });
  const signed = items.filter((item) => 'euiccResult' in item).length;
  return {
    report: encodeProfileLoadingReport({ reportId, items: [...items, ...deletions] }),
    signed,
    unsigned: items.length - signed,
    missing,
    conflicts,
  };
}

function choose(all: readonly Said[]): {
  readonly kept?: Said;
  readonly conflict?: Pick<Conflict, 'reports' | 'what' | 'kept'>;
} {
  const results = all.filter(({ item }) => 'euiccResult' in item);
  const attempts = all.filter(({ item }) => 'fpaError' in item && item.fpaError.cause !== 'notAttempted');
  const [kept] = [...results, ...[...attempts].sort((a, b) => timeOf(b) - timeOf(a)), ...all];
  if (kept === undefined) return {};
  const otherResults = results.filter(({ item }) => !sameResult(item, kept.item));
  if (otherResults.length > 0)
    return {
      kept,
      conflict: { reports: namesOf(results), what: 'two results, both of the eUICC', kept: kept.name },
    };
  const had = namesOf([...results, ...attempts]);
  if (had.length < 2) return { kept };
  return {
    kept,
    conflict: { reports: had, what: 'two stations say that they had the device', kept: kept.name },
  };
}

const namesOf = (all: readonly Said[]) => [...new Set(all.map(({ name }) => name))];

const timeOf = ({ item }: Said) => ('fpaError' in item ? (item.fpaError.at?.getTime() ?? 0) : 0);

const sameResult = (a: ReportItem, b: ReportItem) =>
  'euiccResult' in a && 'euiccResult' in b && equal(a.euiccResult, b.euiccResult);

function aboutOf(item: Exclude<ReportItem, { otherSigned: Bytes }>): { transactionId: string; eid?: string } {
  if ('euiccResult' in item)
    return { transactionId: toHex(decodeProfileInstallationResult(item.euiccResult).transactionId) };
  return { transactionId: toHex(item.fpaError.transactionId), eid: item.fpaError.eid };
}
