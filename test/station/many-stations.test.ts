import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { decodeProfileInstallationResult } from '../../shared/rsp/profile-installation-result.ts';
import { decodeProfileLoadingReport } from '../../sim/ifpp-draft1.ts';
import { runCli } from '../cli/support/cli.ts';
import { effort, LONG } from '../support/effort.ts';
import { Line } from './line.ts';

const STATIONS = effort({ short: 3, long: 8 });
const EACH = effort({ short: 2, long: 50 });
const LAUNCHER = fileURLToPath(new URL('../../cli/smdpf.mjs', import.meta.url));

let line: Line;
beforeAll(() => {
  line = new Line(STATIONS, EACH);
});
afterAll(() => line.remove());

const args = (station: number) => [
  ...[
    'station',
    'load',
    '--batch',
    line.batchFile,
    '--cards',
    line.cards(station),
    '--station',
    `${station}`,
  ],
  ...['--journal', line.file(`${station}.jsonl`), '--report', line.file(`${station}.der`), '--json'],
];
const journalLines = (station: number) =>
  existsSync(line.file(`${station}.jsonl`))
    ? readFileSync(line.file(`${station}.jsonl`), 'utf8').split('\n').length - 1
    : 0;

/** In the long run a process of its own, which can be killed. */
const started = (station: number) =>
  spawn(process.execPath, [LAUNCHER, ...args(station)], { stdio: 'ignore' });
const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));

async function run(station: number): Promise<number | null> {
  return LONG ? ended(started(station)) : (await runCli(...args(station))).code;
}

/** Killed in the middle, with no chance to say anything. */
async function killedInTheMiddle(station: number): Promise<void> {
  if (!LONG) return;
  const child = started(station);
  const end = ended(child);
  while (journalLines(station) < EACH / 4) await delay(5);
  child.kill('SIGKILL');
  await end;
  expect(journalLines(station)).toBeLessThan(EACH);
}

/**
 * While one is at work, the same command line again: refused, or it came when the other had ended, and had nothing to do. That a
 * lock that is held refuses is shown in station.test.ts.
 */
async function twice(station: number, devices: number): Promise<void> {
  if (!LONG) return void (await run(station));
  await runCli('station', 'load', '--help');
  const first = started(station);
  const end = ended(first);
  while (journalLines(station) < 1) await delay(1);
  const second = await runCli(...args(station));
  if (second.code === 2) expect(second.stdout).toContain('in use by another station');
  else expect(second.json()).toMatchObject({ doneBefore: devices });
  expect(await end).toBe(0);
  expect(journalLines(station)).toBe(devices);
}

it('many stations of one batch: some are killed, a card lies on the wrong one, one is started twice, and the report is right', async () => {
  const misplaced = line.stations[1]!.at(-1)!;
  line.misplace(misplaced, 1, 0);
  await killedInTheMiddle(STATIONS - 1);
  await killedInTheMiddle(STATIONS - 2);
  await twice(0, EACH + 1);
  for (let station = 1; station < STATIONS; station++) expect(await run(station)).toBe(0);

  const merged = await runCli(
    ...['station', 'merge', '--batch', line.batchFile, '--out', line.file('merged.der'), '--json'],
    ...line.stations.flatMap((_, station) => ['--report', line.file(`${station}.der`)]),
  );
  expect(merged.json()).toMatchObject({ signed: STATIONS * EACH, unsigned: 0, missing: [], conflicts: [] });
  expect(merged.code).toBe(0);

  const eidOf = new Map(line.batch.items.map(({ eid, bound }) => [toHex(bound!.transactionId), eid]));
  const eidsIn = (name: string) =>
    decodeProfileLoadingReport(readFileSync(line.file(name))).items.map((item) => {
      if (!('euiccResult' in item)) throw new Error('an item that no eUICC signed');
      return eidOf.get(toHex(decodeProfileInstallationResult(item.euiccResult).transactionId));
    });
  expect(eidsIn('merged.der')).toEqual(line.batch.items.map(({ eid }) => eid));
  for (const [station, eids] of line.stations.entries()) {
    const had = station === 0 ? [...eids, misplaced] : eids.filter((eid) => eid !== misplaced);
    expect(eidsIn(`${station}.der`)).toEqual(had);
  }
});
