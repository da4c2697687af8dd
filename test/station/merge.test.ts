import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { SoftEuicc } from '../../sim/euicc.ts';
import {
  decodeProfileLoadingReport,
  encodeProfileLoadingReport,
  type ReportItem,
} from '../../sim/ifpp-draft1.ts';
import { mergeReports } from '../../station/merge.ts';
import type { Outcome } from '../../station/outcome.ts';
import { type Package, packagesOf, runStation } from '../../station/station.ts';
import { Line } from './line.ts';

let line: Line;
let packages: Package[];
const signed = new Map<string, Outcome>();

beforeAll(async () => {
  line = new Line(1, 3);
  packages = packagesOf([line.batch]);
  const cards = new Map(packages.map(({ eid }) => [eid, SoftEuicc.open(line.card(0, eid))]));
  const journal = {
    outcomes: signed,
    write: (outcome: Outcome) => void signed.set(toHex(outcome.transactionId), outcome),
  };
  await runStation(packages, cards, { journal, now: () => new Date(), clock: () => 0, retries: 0 });
});
afterAll(() => line.remove());

const at = (index: number) => packages[index]!;
const result = (index: number): ReportItem => ({
  euiccResult: signed.get(toHex(at(index).bound.transactionId))!.result!,
});
const silent = (index: number, minute: number, eid = at(index).eid): ReportItem => ({
  fpaError: {
    transactionId: at(index).bound.transactionId,
    eid,
    cause: 'unreachable',
    at: new Date(Date.UTC(2027, 0, 1, 0, minute)),
  },
});
const report = (name: string, ...items: readonly ReportItem[]) => ({
  name,
  report: encodeProfileLoadingReport({ reportId: randomBytes(16), items }),
});
const merge = (...reports: readonly ReturnType<typeof report>[]) =>
  mergeReports(reports, packages, randomBytes(16));

it('reports of stations that had different devices become one, in the order of the batch', () => {
  const merged = merge(report('b', result(2)), report('a', result(0), silent(1, 0)));
  expect(merged).toMatchObject({ signed: 2, unsigned: 1, missing: [], conflicts: [] });
  expect(decodeProfileLoadingReport(merged.report).items.map((item) => Object.keys(item)[0])).toEqual([
    'euiccResult',
    'fpaError',
    'euiccResult',
  ]);
});

it('what no report tells of is named, and not made up', () => {
  const merged = merge(report('a', result(0)));
  expect(merged.missing.map(({ eid }) => eid)).toEqual([at(1).eid, at(2).eid]);
  expect(decodeProfileLoadingReport(merged.report).items).toHaveLength(1);
});

it('a device that two stations say they had is a conflict with both names; what the eUICC signed stands', () => {
  const merged = merge(report('a', silent(0, 5)), report('b', result(0)));
  expect(merged.conflicts).toEqual([
    {
      transactionId: toHex(at(0).bound.transactionId),
      eid: at(0).eid,
      reports: ['b', 'a'],
      what: 'two stations say that they had the device',
      kept: 'b',
    },
  ]);
  expect(merged.signed).toBe(1);
  expect(merge(report('a', silent(0, 5)), report('b', silent(0, 7))).conflicts[0]!.kept).toBe('b');
});

it('a station that did not come to a device says nothing against one that did', () => {
  const { transactionId } = at(0).bound;
  const waiting: ReportItem = { fpaError: { transactionId, eid: at(0).eid, cause: 'notAttempted' } };
  expect(merge(report('a', waiting), report('b', result(0))).conflicts).toEqual([]);
});

it('a package that is in no batch, or for another EID, is a conflict and left out', () => {
  const unknown: ReportItem = {
    fpaError: { transactionId: randomBytes(16), eid: at(0).eid, cause: 'damaged' },
  };
  const merged = merge(report('a', unknown, silent(1, 0, at(0).eid)));
  expect(merged.conflicts.map(({ what }) => what).sort()).toEqual([
    'a package that is in no batch',
    'the package is for another EID',
  ]);
  expect(decodeProfileLoadingReport(merged.report).items).toEqual([]);
});
