import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { present } from '../../../shared/present.ts';
import { type PersonalisedEuicc, SimEum, SoftEuicc, SUITES, type SuiteName } from '../../../sim/index.ts';
import { readDer, readOctets, requireFresh, writeOutput } from '../../input/files.ts';
import { collect, wholeOption } from '../../input/options.ts';
import { type ServerOptions, withServerOptions } from '../../input/server-options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { UsageError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import { sendEuiccData } from '../party-calls/register.ts';
import { type WaitOptions, withWaitOptions } from '../party-calls/waiting.ts';
import { CERT_CI, NEXT_SERIAL, openCi, openEumCa } from './folders.ts';

interface CreateOptions {
  readonly ci: string;
  readonly out: string;
  readonly iin: string;
  readonly organization?: string;
}

interface PersonaliseOptions {
  readonly eum: string;
  readonly count: number;
  readonly keys: number;
  readonly suite?: SuiteName;
  readonly out: string;
  readonly deviceMaker?: readonly string[];
  readonly trustCi?: readonly string[];
}

export function registerSimEum(sim: Command, io: CliIo): void {
  const eum = sim.command('eum').description('an eUICC manufacturer in a folder');

  eum
    .command('create')
    .description('make an EUM below a CI: CERT_EUM.der, SK_EUM.pem, CERT_CI.der')
    .requiredOption('--ci <dir>', 'folder of the CI')
    .requiredOption('--out <dir>', 'folder of the EUM')
    .option('--iin <digits>', 'eight digits that its EIDs begin with', '89049032')
    .option('--organization <text>', 'organizationName of the EUM and of its eUICCs')
    .action((options: CreateOptions) => create(options, io));

  eum
    .command('personalise')
    .description('make eUICCs with one-time keys: card files, and their data batch (FF60)')
    .requiredOption('--eum <dir>', 'folder of the EUM')
    .option('--count <n>', 'eUICCs', wholeOption(1, 100_000), 1)
    .option('--keys <k>', 'one-time keys in each', wholeOption(1, 64), 1)
    .addOption(
      new Option('--suite <name>', 'of the one-time keys; the curve of the EUM alone unless given').choices(
        Object.keys(SUITES),
      ),
    )
    .requiredOption('--out <dir>', 'folder for cards/<EID>.json and euicc-data.der')
    .option('--device-maker <id>', 'entitled device manufacturer; may be given several times', collect)
    .option('--trust-ci <file>', 'further CI for SM-DPf chains; may be given several times', collect)
    .action((options: PersonaliseOptions) => personalise(options, io));

  withServerOptions(
    withWaitOptions(
      eum
        .command('register')
        .description('send a data batch to a server (Esed1.registerEuiccData)')
        .requiredOption('--batch <file>', 'eUICC data batch (FF60)'),
    ),
    io,
  ).action((options: ServerOptions & WaitOptions & { readonly batch: string }) =>
    sendEuiccData(options.batch, '--batch', options, io),
  );
}

async function create(options: CreateOptions, io: CliIo): Promise<void> {
  if (!/^[0-9]{8}$/.test(options.iin))
    throw new UsageError('--iin is not made of eight digits', 'Give it as 89049032.');
  const ci = openCi(options.ci);
  const eum = ci.issueEum({
    iin: options.iin,
    ...present({ organization: options.organization }),
  });
  await requireFresh(join(options.out, 'SK_EUM.pem'), '--out');
  await writeOutput(join(options.out, CERT_CI), ci.certificate, '--out', { fresh: true });
  eum.save(options.out);
  const document = {
    folder: options.out,
    curve: eum.curve,
    iin: eum.iin,
    organization: eum.organization,
  };
  io.answer(document, () => fields(Object.entries(document)));
}

async function personalise(options: PersonaliseOptions, io: CliIo): Promise<void> {
  const ca = openEumCa(options.eum);
  if (options.suite !== undefined && SUITES[options.suite].curve !== ca.curve)
    throw new UsageError(
      `--suite ${options.suite} signs on ${SUITES[options.suite].curve}, and the EUM is on ${ca.curve}`,
      'Name a suite on the curve of the EUM, or make an EUM below a CI on that curve.',
    );
  const serialFile = join(options.eum, NEXT_SERIAL);
  const firstSerial = existsSync(serialFile) ? Number(readFileSync(serialFile, 'utf8')) : 1;
  if (!Number.isSafeInteger(firstSerial) || firstSerial < 1)
    throw new UsageError(`${serialFile} holds no number`, 'Write the next running number into it.');
  const eum = new SimEum({
    ca,
    ci: await readOctets(join(options.eum, CERT_CI), '--eum'),
    furtherCis: await Promise.all((options.trustCi ?? []).map((file) => readDer(file, '--trust-ci'))),
    firstSerial,
    ...present({ suite: options.suite }),
  });
  const batch = join(options.out, 'euicc-data.der');
  await requireFresh(batch, '--out');
  // taken before use: an EID is never made twice, even if this run is cut short
  await writeOutput(serialFile, String(firstSerial + options.count), '--eum');
  const made: PersonalisedEuicc[] = [];
  const progress = io.progress('personalising', options.count);
  for (const euicc of eum.production(options.count, options.keys)) {
    const file = join(options.out, 'cards', `${euicc.eid}.json`);
    await writeOutput(file, '', '--out', { mode: 0o600, fresh: true });
    SoftEuicc.create(euicc, { file });
    made.push(euicc);
    progress.update(made.length);
  }
  progress.end();
  await writeOutput(
    batch,
    eum.euiccDataBatch(made, present({ deviceManufacturers: options.deviceMaker })),
    '--out',
  );
  const eids = made.map(({ eid }) => eid);
  io.answer(
    { cards: join(options.out, 'cards'), batch, keysPerEuicc: options.keys, suite: eum.suite, eids },
    () =>
      fields([
        ['eUICCs', `${eids.length}, EID ${eids[0]} to ${eids.at(-1)}`],
        ['one-time keys', `${options.keys} in each, of ${eum.suite}`],
        ['cards', join(options.out, 'cards')],
        ['data batch', batch],
      ]),
  );
}
