import { closeSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { type Bytes, toHex } from '../../../shared/codec/bytes.ts';
import { Fault } from '../../../shared/errors.ts';
import { present } from '../../../shared/present.ts';
import { estimate } from '../../../station/estimate.ts';
import { Journal } from '../../../station/journal.ts';
import type { ApduLog } from '../../../station/load-profile.ts';
import { lock } from '../../../station/lock.ts';
import type { Outcome } from '../../../station/outcome.ts';
import type { OpenDevices } from '../../../station/soft-cards.ts';
import {
  type Package,
  type Plan,
  packagesOf,
  planOf,
  runStation,
  stationReport,
} from '../../../station/station.ts';
import { writeOutput } from '../../input/files.ts';
import { collect, hexOption, wholeOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { HintedError } from '../../output/failure.ts';
import { fields, table } from '../../output/table.ts';
import { describeOutcome } from '../sim/describe-outcome.ts';
import { readBatches } from './batches.ts';
import { type DeviceOptions, openDevices, withDevices } from './devices.ts';
import { durationText } from './duration.ts';

interface LoadOptions extends DeviceOptions {
  readonly batch: readonly string[];
  readonly journal: string;
  readonly report?: string;
  readonly reportId?: Bytes;
  readonly station: string;
  readonly retries: number;
  readonly apduLog?: string;
  readonly dryRun?: true;
}

const HELP = `
Works with no network. Only devices that are here are loaded, and only they are reported: several stations may have the same
batch. The journal has a line for each attempt; run it again and what an eUICC has signed stays, and all else is tried again.
One process at a time has a journal and a folder of cards. Exit code 1 where a device that is here has not got its profile.

Examples:
  smdpf station load --batch bpps.der --cards cards --journal line.jsonl --report report.der
  .\\smdpf.exe station load --batch D:\\bpps --readers "OMNIKEY" --journal D:\\line.jsonl --report D:\\report.der`;

export function registerStationLoad(station: Command, io: CliIo): void {
  withDevices(
    station
      .command('load')
      .description('load the devices that are here, and report them')
      .requiredOption(
        '--batch <path>',
        'BPP batch (FF62), or a folder of smdpf pull; may be repeated',
        collect,
      )
      .requiredOption('--journal <file>', 'what this station did; it goes on where it stopped'),
  )
    .option('--report <file>', 'where the Profile Loading Report (FF63) goes')
    .option('--report-id <hex>', 'reportId, 1 to 16 octets (default: random)', hexOption(1, 16))
    .option('--station <name>', 'name of this station in its journal', hostname())
    .option(
      '--retries <n>',
      'how often a silent eUICC is reset and tried again at once',
      wholeOption(0, 10),
      1,
    )
    .option('--apdu-log <file>', 'append every APDU and answer, in hexadecimal')
    .option('--dry-run', 'say what would be done, and for how long; touch nothing')
    .addHelpText('after', HELP)
    .action((options: LoadOptions) => load(options, io));
}

async function load(options: LoadOptions, io: CliIo): Promise<void> {
  const packages = packagesOf(await readBatches(options.batch));
  if (options.dryRun) return dryRun(packages, options, io);
  const release = lockJournal(options.journal);
  let here: OpenDevices | undefined;
  let journal: Journal | undefined;
  try {
    here = await openDevices(options, false);
    journal = new Journal(options.journal, options.station);
    const plan = planOf(packages, here.devices, journal.outcomes);
    tell(here, plan, io);
    await run(plan, here, journal, options, io);
    const reportId = options.reportId;
    const report = stationReport(packages, here.devices, journal.outcomes, reportId);
    if (options.report !== undefined) await writeOutput(options.report, report, '--report');
    answer(packages, plan, here, journal.outcomes, options, io);
  } finally {
    journal?.close();
    await here?.close();
    release();
  }
}

function lockJournal(journal: string): () => void {
  try {
    return lock(`${journal}.lock`, `the journal ${journal}`);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'configuration') throw error;
    throw new HintedError(
      error,
      'It is started already: wait until it has ended, or stop it. Another station needs a journal of its own.',
    );
  }
}

async function dryRun(packages: readonly Package[], options: LoadOptions, io: CliIo): Promise<void> {
  const here = await openDevices(options, true);
  try {
    const outcomes = Journal.read(options.journal);
    const plan = planOf(packages, here.devices, outcomes);
    tell(here, plan, io);
    const { readerMs, cardMs } = estimate(plan.toDo);
    const document = {
      dryRun: true,
      toLoad: plan.toDo.map(({ eid, bound }) => ({ eid, iccid: bound.iccid })),
      doneBefore: plan.done,
      elsewhere: plan.elsewhere,
      strangers: plan.strangers,
      readerMs: Math.round(readerMs),
      cardMs: Math.round(cardMs),
    };
    io.answer(document, () =>
      fields([
        ['devices here', here.devices.size],
        ['packages to load', plan.toDo.length],
        ['done in earlier runs', plan.done],
        ['for devices that are elsewhere', plan.elsewhere],
        [
          'time on one reader',
          `${durationText(readerMs)} at the reader, ${durationText(cardMs)} with real cards`,
        ],
      ]),
    );
  } finally {
    await here.close();
  }
}

function tell({ problems }: OpenDevices, { strangers }: Plan, io: CliIo): void {
  for (const problem of problems) io.warn(problem);
  for (const eid of strangers)
    io.warn(`the device ${eid} is here, and no batch has anything for it: is it on the wrong station?`);
}

async function run(
  plan: Plan,
  here: OpenDevices,
  journal: Journal,
  options: LoadOptions,
  io: CliIo,
): Promise<void> {
  const progress = io.progress('loading', plan.toDo.length);
  const log = options.apduLog === undefined ? undefined : apduLog(options.apduLog, io);
  const from = performance.now();
  let done = 0;
  try {
    await runStation(
      plan.toDo,
      here.devices,
      {
        journal,
        now: io.now,
        clock: () => performance.now(),
        retries: options.retries,
        ...present({ apduLog: log?.write }),
      },
      () => {
        done += 1;
        const perSecond = (done * 1000) / (performance.now() - from);
        const left = durationText(((plan.toDo.length - done) * 1000) / perSecond);
        progress.update(done, `${perSecond.toFixed(perSecond < 10 ? 2 : 0)} devices/s, ${left} left`);
      },
    );
  } finally {
    progress.end();
    log?.close();
  }
}

function apduLog(path: string, io: CliIo): { readonly write: ApduLog; readonly close: () => void } {
  const file = openSync(path, 'a', 0o600);
  return {
    write: (eid, command, response) =>
      writeSync(
        file,
        `${io.now().toISOString()} ${eid} > ${toHex(command)} < ${response === undefined ? 'no answer' : toHex(response)}\n`,
      ),
    close: () => closeSync(file),
  };
}

function answer(
  packages: readonly Package[],
  plan: Plan,
  { devices }: OpenDevices,
  outcomes: ReadonlyMap<string, Outcome>,
  options: LoadOptions,
  io: CliIo,
): void {
  const mine = packages.flatMap(({ bound }) => outcomes.get(toHex(bound.transactionId)) ?? []);
  const results = mine.map((outcome) => ({ ...describeOutcome(outcome), ...present({ ms: outcome.ms }) }));
  const installed = results.filter(({ result }) => result === 'success').length;
  if (installed < results.length || plan.strangers.length > 0) io.exit(EXIT.refused);
  const counts = new Map<string, number>();
  for (const { result } of results) counts.set(result, (counts.get(result) ?? 0) + 1);
  const times = mine.flatMap(({ ms }) => ms ?? []).sort((a, b) => a - b);
  const document = {
    station: options.station,
    devices: devices.size,
    packages: results.length,
    installed,
    doneBefore: plan.done,
    elsewhere: plan.elsewhere,
    strangers: plan.strangers,
    ...present({ report: options.report }),
    counts: Object.fromEntries(counts),
    results,
  };
  io.answer(document, () =>
    [
      fields([
        ['station', options.station],
        ['devices here', devices.size],
        ['packages for them', results.length],
        ['done in earlier runs', plan.done],
        ['for devices that are elsewhere', plan.elsewhere],
        ['time of a package', times.length === 0 ? undefined : timesText(times)],
        ['report', options.report],
      ]),
      table(['result', 'packages'], [...counts]),
    ].join('\n\n'),
  );
}

const timesText = (times: readonly number[]) =>
  `${times[0]} ms at least, ${times[Math.floor(times.length / 2)]} ms as a rule, ${times.at(-1)} ms at most`;
