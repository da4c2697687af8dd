import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../shared/codec/bytes.ts';
import { SoftEuicc } from '../../sim/euicc.ts';
import { decodeBppBatch, decodeProfileLoadingReport, encodeBppBatch } from '../../sim/ifpp-draft1.ts';
import { Journal } from '../../station/journal.ts';
import { lock } from '../../station/lock.ts';
import { shareOfBatch } from '../../station/split.ts';
import { packagesOf, planOf, runStation, stationReport } from '../../station/station.ts';
import { type ErrorDocument, runCli } from '../cli/support/cli.ts';
import { Line } from './line.ts';

let line: Line;
beforeAll(() => {
  line = new Line(3, 3);
});
afterAll(() => line.remove());

const load = (station: number, ...more: readonly string[]) =>
  runCli(
    ...['station', 'load', '--batch', line.batchFile, '--cards', line.cards(station)],
    ...[
      '--journal',
      line.file(`${station}.jsonl`),
      '--report',
      line.file(`${station}.der`),
      '--json',
      ...more,
    ],
  );

const reported = (file: string) =>
  decodeProfileLoadingReport(readFileSync(file)).items.map((item) =>
    'fpaError' in item ? item.fpaError.cause : 'euiccResult' in item ? 'signed' : 'deletion',
  );

describe('smdpf station load', () => {
  it('says in a dry run what it would do, and touches nothing', async () => {
    const { code, json } = await load(0, '--dry-run');
    expect(code).toBe(0);
    expect(json()).toMatchObject({ dryRun: true, doneBefore: 0, elsewhere: 6, strangers: [] });
    expect(json<{ toLoad: { eid: string }[] }>().toLoad.map(({ eid }) => eid)).toEqual(line.stations[0]);
    expect(existsSync(line.file('0.jsonl'))).toBe(false);
    expect(SoftEuicc.open(line.card(0, line.stations[0]![0]!)).installedIccids).toEqual([]);
  });

  it('loads and reports the devices that are here, and no other, and logs each APDU where it is asked to', async () => {
    const { code, json } = await load(0, '--apdu-log', line.file('apdus.log'), '--station', 'north');
    expect(code).toBe(0);
    expect(json()).toMatchObject({ station: 'north', devices: 3, packages: 3, installed: 3, elsewhere: 6 });
    expect(reported(line.file('0.der'))).toEqual(['signed', 'signed', 'signed']);
    const apdus = readFileSync(line.file('apdus.log'), 'utf8').trim().split('\n');
    expect(apdus.length).toBeGreaterThan(20);
    expect(apdus[0]).toMatch(/^\S+Z [0-9]{32} > 80e2[0-9a-f]+ < [0-9a-f]*9000$/);
  });

  it('goes on where it stopped: nothing is loaded twice', async () => {
    const { code, json } = await load(0);
    expect(code).toBe(0);
    expect(json()).toMatchObject({ doneBefore: 3, installed: 3 });
    expect(readFileSync(line.file('0.jsonl'), 'utf8').trim().split('\n')).toHaveLength(3);
  });

  it('names a device on the wrong station, and does neither load nor report it', async () => {
    const [eid] = line.stations[2]!;
    const share = line.file('share.der');
    writeFileSync(share, encodeBppBatch(shareOfBatch(line.batch, (one) => line.stations[1]!.includes(one))));
    line.misplace(eid!, 2, 1);
    const { code, json } = await runCli(
      ...['station', 'load', '--batch', share, '--cards', line.cards(1)],
      ...['--journal', line.file('1.jsonl'), '--report', line.file('1.der'), '--json'],
    );
    expect(code).toBe(1);
    expect(json()).toMatchObject({ strangers: [eid], installed: 3, devices: 4 });
    expect(json<{ warnings: string[] }>().warnings[0]).toContain('wrong station');
    expect(reported(line.file('1.der'))).toEqual(['signed', 'signed', 'signed']);
    expect(SoftEuicc.open(line.card(1, eid!)).installedIccids).toEqual([]);
    line.misplace(eid!, 1, 2);
  });

  it('is refused where the same journal or the same folder of cards is in use', async () => {
    for (const [file, what] of [
      [line.file('2.jsonl.lock'), 'the journal'],
      [`${line.cards(2)}/.station.lock`, 'the folder'],
    ] as const) {
      const release = lock(file, 'it');
      const { code, json } = await load(2);
      expect(code).toBe(2);
      const { error } = json<ErrorDocument>();
      expect(error.message).toContain(what);
      expect(error.message).toContain('in use by another station');
      expect(error.hint).toContain('until');
      release();
    }
    expect(existsSync(line.file('2.der'))).toBe(false);
  });

  it.each([
    ['a folder that is missing', 'nowhere', 'is no folder of cards'],
    ['an empty folder', 'empty', 'has no card in it'],
  ])('refuses %s', async (_, name, message) => {
    mkdirSync(line.file('empty'), { recursive: true });
    const { code, json } = await runCli(
      ...['station', 'load', '--batch', line.batchFile, '--cards', line.file(name)],
      ...['--journal', line.file('never.jsonl'), '--json'],
    );
    expect(code).toBe(2);
    expect(json<ErrorDocument>().error.message).toContain(message);
    expect(json<ErrorDocument>().error.hint).toContain('folder');
    expect(existsSync(line.file('never.jsonl'))).toBe(false);
  });

  it('takes away the last line of a journal that a power loss cut off, and refuses one that is something else', async () => {
    const journal = line.file('0.jsonl');
    const whole = readFileSync(journal);
    writeFileSync(journal, whole.subarray(0, -10));
    expect((await load(0)).json()).toMatchObject({ doneBefore: 2, installed: 3 });
    writeFileSync(journal, 'not a journal\n');
    const { code, json } = await load(0);
    expect(code).toBe(2);
    expect(json<ErrorDocument>().error.message).toContain('line 1');
    writeFileSync(journal, whole);
  });
});

describe('a device that does not answer', () => {
  it('is tried again at the end of the run, and in the next run, until an eUICC has signed', async () => {
    const packages = packagesOf([line.batch]).filter(({ eid }) => line.stations[2]!.includes(eid));
    const cards = new Map(line.stations[2]!.map((eid) => [eid, SoftEuicc.open(line.card(2, eid))]));
    const first = packages[0]!.eid;
    cards.get(first)!.faults.damaged = true;
    const journal = new Journal(line.file('silent.jsonl'), 'south');
    const options = { journal, now: () => new Date(), clock: () => performance.now(), retries: 0 };
    const order: string[] = [];
    await runStation(planOf(packages, cards, journal.outcomes).toDo, cards, options, ({ eid }) =>
      order.push(eid),
    );
    expect(order.at(-1)).toBe(first);
    const report = stationReport(packages, cards, journal.outcomes);
    expect(
      decodeProfileLoadingReport(report).items.map((item) => 'fpaError' in item && item.fpaError.cause),
    ).toEqual(['unreachable', false, false]);
    journal.close();

    cards.get(first)!.faults.damaged = false;
    const again = new Journal(line.file('silent.jsonl'), 'south');
    const { toDo, done } = planOf(packages, cards, again.outcomes);
    expect([toDo.map(({ eid }) => eid), done]).toEqual([[first], 2]);
    await runStation(toDo, cards, { ...options, journal: again });
    expect(again.outcomes.get(toHex(packages[0]!.bound.transactionId))!.result).toBeDefined();
    again.close();
  });
});

describe('smdpf station split', () => {
  it('gives each station its devices, all packages of one together', async () => {
    const { code, json } = await runCli(
      ...[
        'station',
        'split',
        '--batch',
        line.batchFile,
        '--stations',
        '2',
        '--out',
        line.file('shares'),
        '--json',
      ],
    );
    expect(code).toBe(0);
    expect(json()).toMatchObject({ stations: [{ devices: 5 }, { devices: 4 }], refused: 0, left: 0 });
    const eids = [1, 2].flatMap((n) =>
      decodeBppBatch(readFileSync(line.file(`shares/station-0${n}.der`))).items.map(({ eid }) => eid),
    );
    expect(eids).toEqual(line.batch.items.map(({ eid }) => eid));
  });

  it('refuses a device that two lists name, and says how many packages are in none', async () => {
    writeFileSync(line.file('a.txt'), line.stations[0]!.join('\n'));
    const args = ['station', 'split', '--batch', line.batchFile, '--out', line.file('listed'), '--json'];
    const lists = (...names: readonly string[]) => names.flatMap((name) => ['--eids', line.file(name)]);
    const twice = await runCli(...args, ...lists('a.txt', 'a.txt'));
    expect(twice.code).toBe(2);
    expect(twice.json<ErrorDocument>().error.hint).toBe('A device is on one station.');
    const once = await runCli(...args, ...lists('a.txt'));
    expect(once.json()).toMatchObject({ stations: [{ devices: 3 }], left: 6 });
  });
});

it('smdpf station estimate reckons by the published figures', async () => {
  const { json } = await runCli('station', 'estimate', '--batch', line.batchFile, '--readers', '4', '--json');
  const { packages, apdus, octets, readerMs, cardMs } = json<Record<string, number>>();
  expect(packages).toBe(9);
  // nine packages on four readers are three rounds
  expect(readerMs).toBe(Math.round((apdus! * 1.07 + octets! * 0.062) / 3));
  expect(cardMs).toBe(3 * 18_000);
});
