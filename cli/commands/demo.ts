import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { buildConsole } from '../../console/build/build.ts';
import { readSite } from '../../console/server/site.ts';
import { Fault } from '../../shared/errors.ts';
import { present } from '../../shared/present.ts';
import { ownTemplate } from '../../shared/profile/package/template/own-profile.ts';
import { CURVES, type CurveName, SimError, SUITES, type SuiteName } from '../../sim/index.ts';
import { type DemoResult, runDemo } from '../demo/demo.ts';
import { portOption, untilStopped, wantedConsole } from '../input/console-options.ts';
import { readDer } from '../input/files.ts';
import type { CliIo } from '../output/cli-io.ts';
import { EXIT } from '../output/exit-codes.ts';
import { UsageError } from '../output/failure.ts';
import { fields, table } from '../output/table.ts';
import { describe as describeKey } from './keys/make.ts';

interface DemoArguments {
  devices: number;
  profilesPerDevice: number;
  upp?: string;
  curve?: CurveName;
  suite?: SuiteName;
  profileClass?: 'operational' | 'test';
  keys?: string;
  out: string;
  console?: true | number;
}

export function registerDemo(program: Command, io: CliIo): void {
  program
    .command('demo')
    .option('--devices <n>', 'devices that are to work; five more are in trouble', count, 25)
    .option('--profiles-per-device <k>', 'profiles for each device', count, 2)
    .option('--upp <file>', 'Unprotected Profile Package to use as template; default: a template of our own')
    .addOption(
      new Option('--curve <curve>', 'curve of all keys and certificates; default: p256').choices(
        Object.keys(CURVES),
      ),
    )
    .addOption(
      new Option(
        '--suite <suite>',
        'crypto suite of the one-time keys; default: that of the curve alone',
      ).choices(Object.keys(SUITES)),
    )
    .addOption(
      new Option(
        '--profile-class <class>',
        'default: operational, with fresh keys; test with --upp, which keeps its keys',
      ).choices(['operational', 'test']),
    )
    .option(
      '--keys <uri>',
      'instead of software keys: URI of the binding key, or of a whole PKCS#11 token for all keys (pkcs11:token=…?…); ' +
        'made there unless they exist',
    )
    .option('--out <folder>', 'folder for everything that the demo makes', 'smdpf-demo')
    .option(
      '--console [port]',
      'leave the console open on what the demo made; default port 8445; builds its pages where they are missing',
      portOption,
    )
    .action((options: DemoArguments) => demo(options, io));
}

async function demo(options: DemoArguments, io: CliIo): Promise<void> {
  const { upp, keys } = options;
  if (options.console !== undefined && (await readSite()) === undefined)
    await buildConsole((text) => io.note(text));
  await runDemo(
    {
      devices: options.devices,
      profilesPerDevice: options.profilesPerDevice,
      suite: suiteOf(options),
      folder: options.out,
      profileClass: options.profileClass ?? (upp === undefined ? 'operational' : 'test'),
      upp: upp === undefined ? ownTemplate() : await readDer(upp, '--upp', 'profilePackage'),
      ...present({ keys }),
      ...(options.console !== undefined && { console: wantedConsole(options.console, 'administrator') }),
    },
    io,
    async (result, console) => {
      tell(result, io);
      if (console === undefined) return;
      io.note(`the console, as ${console.linkRole}: ${console.link}`);
      io.note('the link logs in once; your browser asks about the development certificate; stop with Ctrl-C');
      await untilStopped();
    },
  ).catch((cause: unknown) => {
    if (!(cause instanceof SimError)) throw cause;
    throw new Fault('configuration', `the demo cannot go on: ${cause.message}`, { cause });
  });
}

function tell(result: DemoResult, io: CliIo): void {
  const { record, summary, folder, keys } = result;
  const good = summary.addsUp && record.troubles.every(({ refused }) => refused);
  io.answer({ steps: record.steps, troubles: record.troubles, summary, keys, folder }, () => report(result));
  if (!good) io.exit(EXIT.refused);
}

function report({ record, summary, folder, keys }: DemoResult): string {
  const { states } = summary;
  return [
    '',
    table(
      ['step', 'interface', 'what', 'outcome', 'ms'],
      record.steps.map(({ step, interface: iface, what, outcome, ms }) => [step, iface, what, outcome, ms]),
    ),
    '',
    table(
      ['trouble made on purpose', 'expected', 'got', ''],
      record.troubles.map(({ trouble, expected, got, refused }) => [
        trouble,
        expected,
        shortened(got),
        refused ? 'as it should' : 'WRONG',
      ]),
    ),
    '',
    ...keys.flatMap((key) => [describeKey(key), '']),
    fields([
      ['profiles ordered', summary.ordered],
      ['devices', `${summary.devices}, and ${summary.devicesInTrouble} in trouble`],
      ['profiles wanted', `${summary.wanted} = ${summary.bound} bound + ${summary.refused} refused`],
      [
        'states',
        `${Object.entries(states)
          .map(([state, number]) => `${number} ${state}`)
          .join(' + ')} = ${summary.ordered}`,
      ],
      ['installed profiles read back', `${summary.readBackEqual} equal to the Operator's rows`],
      ['callbacks to the Operator', summary.callbacks],
      ['audit log', `${summary.auditLines} lines, the chain holds`],
      ['the numbers add up', summary.addsUp ? 'yes' : 'NO'],
      ['everything is in', folder],
    ]),
    '',
    nextSteps(folder),
  ].join('\n');
}

/** What to do with what is there now. */
const nextSteps = (folder: string) => `What next:
  smdpf inspect ${join(folder, 'profile-loading-report.der')}
      what any file of it is, field by field
  smdpf audit show --folder ${join(folder, 'smdpf')}
      what the server wrote down of it
  smdpf serve --sandbox p256
      a server to try your own side against: docs/factory.md, docs/operators.md
  smdpf --help`;

const WIDTH = 72;
const shortened = (text: string) => (text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text);

function count(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 on is needed');
  return Number(text);
}

function suiteOf({ curve, suite = curve ?? 'p256' }: DemoArguments): SuiteName {
  const { curve: signsOn } = SUITES[suite];
  if (curve !== undefined && curve !== signsOn)
    throw new UsageError(`--suite ${suite} signs on ${signsOn}, not on ${curve}`, 'Leave --curve away.');
  return suite;
}
