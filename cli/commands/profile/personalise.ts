import { type Command, Option } from 'commander';
import { wipe } from '../../../shared/codec/bytes.ts';
import { completeIccid } from '../../../shared/codec/iccid.ts';
import { Refusal, refuse } from '../../../shared/errors.ts';
import { ifPresent, present } from '../../../shared/present.ts';
import { auditPersonalisation } from '../../../shared/profile/package/audit.ts';
import type { PackageMetadata } from '../../../shared/profile/package/checks/package-metadata.ts';
import { compileTemplate, personalise } from '../../../shared/profile/package/personalise.ts';
import { validatePackage } from '../../../shared/profile/package/validate.ts';
import { csvRows } from '../../../shared/profile/rows/csv.ts';
import { jsonRows } from '../../../shared/profile/rows/json-lines.ts';
import { checkColumns, checkMembers, inRow, type Row } from '../../../shared/profile/rows/row.ts';
import { readDer, readOctets, writeOutput } from '../../input/files.ts';
import { wholeOption } from '../../input/options.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { HintedError } from '../../output/failure.ts';
import { fields } from '../../output/table.ts';
import { readMetadata } from '../bind/metadata.ts';

interface PersonaliseOptions {
  readonly template: string;
  readonly rows: string;
  readonly row: number;
  readonly out: string;
  readonly profileClass: 'test' | 'provisioning' | 'operational';
  readonly deriveIsim?: boolean;
  readonly mncLength?: '2' | '3';
  readonly metadata?: string;
  readonly force?: boolean;
}

const HELP = `
The rows are as in an order, but in clear: for tests, and to try a template before it is ordered. The package that is
written is in clear as well; a new file is readable by its owner alone. It is held against the rules of
\`smdpf profile check\`: a package with an error is not written.

Example:
  smdpf profile template --out template.der
  smdpf profile personalise --template template.der --rows rows.csv --row 1 --out profile.der`;

export function registerPersonalise(profile: Command, io: CliIo): void {
  profile
    .command('personalise')
    .description('make one profile from a template and a row, and read every value back')
    .requiredOption('--template <file>', 'profile package: DER, base64 or hexadecimal')
    .requiredOption('--rows <file>', 'CSV with a heading, or JSON lines')
    .option('--row <number>', 'which row, from 1', wholeOption(1, 10_000_000), 1)
    .requiredOption('--out <file>', 'where the package goes, in DER')
    .addOption(
      new Option('--profile-class <class>', 'all but test refuse keys that are left from the template')
        .choices(['test', 'provisioning', 'operational'])
        .default('operational'),
    )
    .option('--derive-isim', 'set the identities of the ISIM from the IMSI')
    .addOption(
      new Option(
        '--mnc-length <digits>',
        'how many digits the MNC has, where no column mncLength says it',
      ).choices(['2', '3']),
    )
    .option('--metadata <file>', 'also hold the package against these metadata, as smdpf bind takes them')
    .option('--force', 'write the package also where profile check finds an error in it')
    .addHelpText('after', HELP)
    .action((options: PersonaliseOptions) => run(options, io));
}

async function run(options: PersonaliseOptions, io: CliIo): Promise<void> {
  const upp = await readDer(options.template, '--template');
  const { columns, row } = readRow(await readOctets(options.rows, '--rows'), options.row);
  const metadata =
    options.metadata === undefined ? undefined : (await readMetadata(options.metadata, io)).metadata;
  const template = compileTemplate(upp, {
    profileClass: options.profileClass,
    parameters: columns,
    deriveIsim: options.deriveIsim ?? false,
    ...present({ constants: ifPresent(options.mncLength, (mncLength) => ({ mncLength })) }),
    ownerMccMnc: metadata?.profileOwner?.mccMnc,
  });
  const profile = inRow(row.number, () => personalise(template, row.values));
  checkMade(profile, metadata, options.force ?? false, io);
  const findings = auditPersonalisation(profile, row.values, template);
  const differing = findings.find(({ code }) => code === 'differs');
  if (differing !== undefined)
    refuse('personalisationInvalid', `the package does not hold what was given for ${differing.parameter}`);
  const iccid = completeIccid(String(row.values.iccid));
  if (iccid.length === 20 && String(row.values.iccid).length === 19)
    io.warn('iccid: the last of its 19 digits is no check digit, so that one was added');
  const notSet = findings.map(({ parameter }) => parameter);
  for (const parameter of notSet) io.warn(`${parameter} is as in the template`);
  await writeOutput(options.out, profile, '--out', { mode: 0o600 });
  const { length } = profile;
  wipe(profile);
  const document = {
    out: options.out,
    row: row.number,
    iccid,
    parameters: columns,
    notSet,
    length,
  };
  io.answer(document, () =>
    fields([
      ['written', `${document.out}, ${length} octets`],
      ['row', row.number],
      ['iccid', document.iccid],
      ['set', columns.join(', ')],
    ]),
  );
}

/** Errors are refused, unless `force`; warnings are told. */
function checkMade(
  profile: Uint8Array,
  metadata: PackageMetadata | undefined,
  force: boolean,
  io: CliIo,
): void {
  const findings = validatePackage(profile, metadata);
  const error = findings.find(({ severity }) => severity === 'error');
  if (error !== undefined && !force) {
    wipe(profile);
    const where = error.pe === undefined ? '' : `${error.pe}: `;
    throw new HintedError(
      new Refusal('profileInvalid', `the package would break ${error.code}: ${where}${error.message}`, {
        subjectIdentifier: error.code,
      }),
      `${error.wayOut ?? ''} Or give --force to write it all the same.`.trim(),
    );
  }
  for (const { code, pe, message } of findings)
    io.warn(`${pe === undefined ? '' : `${pe}: `}${message} (${code})`);
}

function readRow(octets: Uint8Array, number: number): { columns: readonly string[]; row: Row } {
  const isJson = /^(?:\xef\xbb\xbf)?\s*\{/.test(Buffer.from(octets.subarray(0, 64)).toString('latin1'));
  const { columns, rows } = isJson ? fromJson(octets) : csvRows(octets, 1);
  checkColumns(columns);
  const row = rows[number - 1];
  if (row === undefined)
    return refuse('orderInvalid', `there is no row ${number}: the file has ${rows.length}`);
  checkMembers(row, columns);
  return { columns, row };
}

function fromJson(octets: Uint8Array) {
  const rows = jsonRows(octets, 1);
  return { columns: Object.keys(rows[0]?.values ?? {}), rows };
}
